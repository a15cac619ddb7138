#include "core/plan/syscall_values.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/if_tun.h>
#include <linux/keyctl.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/plan/nearest.hpp"

namespace sandbox::syscalls {

namespace {

struct Symbol {
    std::string_view name;
    std::uint32_t value = 0;
};

// clang-format off
#define NAME(symbol) Symbol{#symbol, static_cast<std::uint32_t>(symbol)}
constexpr auto kSymbols = std::to_array<Symbol>({
    NAME(ADDR_COMPAT_LAYOUT), NAME(ADDR_LIMIT_32BIT), NAME(ADDR_LIMIT_3GB), NAME(ADDR_NO_RANDOMIZE), NAME(AF_ALG),
    NAME(AF_APPLETALK), NAME(AF_ASH), NAME(AF_ATMPVC), NAME(AF_ATMSVC), NAME(AF_AX25), NAME(AF_BLUETOOTH),
    NAME(AF_BRIDGE), NAME(AF_CAIF), NAME(AF_CAN), NAME(AF_DECnet), NAME(AF_ECONET), NAME(AF_IB), NAME(AF_IEEE802154),
    NAME(AF_INET), NAME(AF_INET6), NAME(AF_IPX), NAME(AF_IRDA), NAME(AF_ISDN), NAME(AF_IUCV), NAME(AF_KCM),
    NAME(AF_KEY), NAME(AF_LLC), NAME(AF_LOCAL), NAME(AF_MCTP), NAME(AF_MPLS), NAME(AF_NETBEUI), NAME(AF_NETLINK),
    NAME(AF_NETROM), NAME(AF_NFC), NAME(AF_PACKET), NAME(AF_PHONET), NAME(AF_PPPOX), NAME(AF_QIPCRTR), NAME(AF_RDS),
    NAME(AF_ROSE), NAME(AF_ROUTE), NAME(AF_RXRPC), NAME(AF_SECURITY), NAME(AF_SMC), NAME(AF_SNA), NAME(AF_TIPC),
    NAME(AF_UNIX), NAME(AF_UNSPEC), NAME(AF_VSOCK), NAME(AF_WANPIPE), NAME(AF_X25), NAME(AF_XDP), NAME(AT_EACCESS),
    NAME(AT_EMPTY_PATH), NAME(AT_REMOVEDIR), NAME(AT_SYMLINK_FOLLOW), NAME(AT_SYMLINK_NOFOLLOW),
    NAME(CLONE_CHILD_CLEARTID), NAME(CLONE_CHILD_SETTID), NAME(CLONE_FILES), NAME(CLONE_FS), NAME(CLONE_IO),
    NAME(CLONE_NEWCGROUP), NAME(CLONE_NEWIPC), NAME(CLONE_NEWNET), NAME(CLONE_NEWNS), NAME(CLONE_NEWPID),
    NAME(CLONE_NEWTIME), NAME(CLONE_NEWUSER), NAME(CLONE_NEWUTS), NAME(CLONE_PARENT), NAME(CLONE_PARENT_SETTID),
    NAME(CLONE_PIDFD), NAME(CLONE_PTRACE), NAME(CLONE_SETTLS), NAME(CLONE_SIGHAND), NAME(CLONE_SYSVSEM),
    NAME(CLONE_THREAD), NAME(CLONE_UNTRACED), NAME(CLONE_VFORK), NAME(CLONE_VM), NAME(FDPIC_FUNCPTRS), NAME(FIBMAP),
    NAME(FICLONE), NAME(FICLONERANGE), NAME(FIDEDUPERANGE), NAME(FIFREEZE), NAME(FIOASYNC), NAME(FIOCLEX),
    NAME(FIONBIO), NAME(FIONCLEX), NAME(FIONREAD), NAME(FITHAW), NAME(FITRIM), NAME(FS_IOC_FSGETXATTR),
    NAME(FS_IOC_FSSETXATTR), NAME(FS_IOC_GETFLAGS), NAME(FS_IOC_SETFLAGS), NAME(F_ADD_SEALS), NAME(F_DUPFD),
    NAME(F_DUPFD_CLOEXEC), NAME(F_GETFD), NAME(F_GETFL), NAME(F_GETLEASE), NAME(F_GETLK), NAME(F_GETOWN),
    NAME(F_GETPIPE_SZ), NAME(F_GETSIG), NAME(F_GET_SEALS), NAME(F_NOTIFY), NAME(F_OFD_GETLK), NAME(F_OFD_SETLK),
    NAME(F_OFD_SETLKW), NAME(F_SETFD), NAME(F_SETFL), NAME(F_SETLEASE), NAME(F_SETLK), NAME(F_SETLKW), NAME(F_SETOWN),
    NAME(F_SETPIPE_SZ), NAME(F_SETSIG), NAME(IPPROTO_ICMP), NAME(IPPROTO_ICMPV6), NAME(IPPROTO_IP), NAME(IPPROTO_IPV6),
    NAME(IPPROTO_MPTCP), NAME(IPPROTO_RAW), NAME(IPPROTO_SCTP), NAME(IPPROTO_TCP), NAME(IPPROTO_UDP),
    NAME(IPPROTO_UDPLITE), NAME(KEYCTL_DESCRIBE), NAME(KEYCTL_GET_KEYRING_ID), NAME(KEYCTL_JOIN_SESSION_KEYRING),
    NAME(KEYCTL_READ), NAME(KEYCTL_SEARCH), NAME(MADV_COLD), NAME(MADV_DODUMP), NAME(MADV_DOFORK), NAME(MADV_DONTDUMP),
    NAME(MADV_DONTFORK), NAME(MADV_DONTNEED), NAME(MADV_FREE), NAME(MADV_HUGEPAGE), NAME(MADV_HWPOISON),
    NAME(MADV_KEEPONFORK), NAME(MADV_MERGEABLE), NAME(MADV_NOHUGEPAGE), NAME(MADV_NORMAL), NAME(MADV_PAGEOUT),
    NAME(MADV_RANDOM), NAME(MADV_REMOVE), NAME(MADV_SEQUENTIAL), NAME(MADV_UNMERGEABLE), NAME(MADV_WILLNEED),
    NAME(MADV_WIPEONFORK), NAME(MAP_ANONYMOUS), NAME(MAP_FIXED), NAME(MAP_FIXED_NOREPLACE), NAME(MAP_GROWSDOWN),
    NAME(MAP_HUGETLB), NAME(MAP_LOCKED), NAME(MAP_NONBLOCK), NAME(MAP_NORESERVE), NAME(MAP_POPULATE),
    NAME(MAP_PRIVATE), NAME(MAP_SHARED), NAME(MAP_SHARED_VALIDATE), NAME(MAP_STACK), NAME(MAP_SYNC),
    NAME(MFD_ALLOW_SEALING), NAME(MFD_CLOEXEC), NAME(MFD_HUGETLB), NAME(MMAP_PAGE_ZERO), NAME(NETLINK_AUDIT),
    NAME(NETLINK_CONNECTOR), NAME(NETLINK_CRYPTO), NAME(NETLINK_DNRTMSG), NAME(NETLINK_ECRYPTFS),
    NAME(NETLINK_FIB_LOOKUP), NAME(NETLINK_GENERIC), NAME(NETLINK_ISCSI), NAME(NETLINK_KOBJECT_UEVENT),
    NAME(NETLINK_NETFILTER), NAME(NETLINK_NFLOG), NAME(NETLINK_RDMA), NAME(NETLINK_ROUTE), NAME(NETLINK_SCSITRANSPORT),
    NAME(NETLINK_SELINUX), NAME(NETLINK_SMC), NAME(NETLINK_SOCK_DIAG), NAME(NETLINK_USERSOCK), NAME(NETLINK_XFRM),
    NAME(NS_GET_NSTYPE), NAME(NS_GET_OWNER_UID), NAME(NS_GET_PARENT), NAME(NS_GET_USERNS), NAME(O_APPEND),
    NAME(O_CLOEXEC), NAME(O_CREAT), NAME(O_DIRECT), NAME(O_DIRECTORY), NAME(O_DSYNC), NAME(O_EXCL), NAME(O_NOATIME),
    NAME(O_NOCTTY), NAME(O_NOFOLLOW), NAME(O_NONBLOCK), NAME(O_PATH), NAME(O_RDONLY), NAME(O_RDWR), NAME(O_SYNC),
    NAME(O_TMPFILE), NAME(O_TRUNC), NAME(O_WRONLY), NAME(PER_BSD), NAME(PER_LINUX), NAME(PER_LINUX32), NAME(PER_MASK),
    NAME(PER_SVR4), NAME(PROT_EXEC), NAME(PROT_GROWSDOWN), NAME(PROT_GROWSUP), NAME(PROT_NONE), NAME(PROT_READ),
    NAME(PROT_WRITE), NAME(PR_CAPBSET_DROP), NAME(PR_CAPBSET_READ), NAME(PR_CAP_AMBIENT), NAME(PR_GET_CHILD_SUBREAPER),
    NAME(PR_GET_DUMPABLE), NAME(PR_GET_FP_MODE), NAME(PR_GET_IO_FLUSHER), NAME(PR_GET_KEEPCAPS), NAME(PR_GET_NAME),
    NAME(PR_GET_NO_NEW_PRIVS), NAME(PR_GET_PDEATHSIG), NAME(PR_GET_SECCOMP), NAME(PR_GET_SECUREBITS),
    NAME(PR_GET_SPECULATION_CTRL), NAME(PR_GET_TAGGED_ADDR_CTRL), NAME(PR_GET_THP_DISABLE), NAME(PR_GET_TID_ADDRESS),
    NAME(PR_GET_TIMERSLACK), NAME(PR_GET_TIMING), NAME(PR_GET_TSC), NAME(PR_MCE_KILL), NAME(PR_MCE_KILL_GET),
    NAME(PR_MPX_DISABLE_MANAGEMENT), NAME(PR_MPX_ENABLE_MANAGEMENT), NAME(PR_PAC_RESET_KEYS), NAME(PR_SCHED_CORE),
    NAME(PR_SET_CHILD_SUBREAPER), NAME(PR_SET_DUMPABLE), NAME(PR_SET_FP_MODE), NAME(PR_SET_IO_FLUSHER),
    NAME(PR_SET_KEEPCAPS), NAME(PR_SET_MM), NAME(PR_SET_NAME), NAME(PR_SET_NO_NEW_PRIVS), NAME(PR_SET_PDEATHSIG),
    NAME(PR_SET_PTRACER), NAME(PR_SET_SECCOMP), NAME(PR_SET_SECUREBITS), NAME(PR_SET_SPECULATION_CTRL),
    NAME(PR_SET_SYSCALL_USER_DISPATCH), NAME(PR_SET_TAGGED_ADDR_CTRL), NAME(PR_SET_THP_DISABLE),
    NAME(PR_SET_TIMERSLACK), NAME(PR_SET_TIMING), NAME(PR_SET_TSC), NAME(PR_SET_VMA), NAME(PR_SVE_GET_VL),
    NAME(PR_SVE_SET_VL), NAME(PR_TASK_PERF_EVENTS_DISABLE), NAME(PR_TASK_PERF_EVENTS_ENABLE), NAME(PTRACE_ATTACH),
    NAME(PTRACE_CONT), NAME(PTRACE_DETACH), NAME(PTRACE_KILL), NAME(PTRACE_PEEKDATA), NAME(PTRACE_PEEKTEXT),
    NAME(PTRACE_POKEDATA), NAME(PTRACE_POKETEXT), NAME(PTRACE_SEIZE), NAME(PTRACE_SETOPTIONS), NAME(PTRACE_SINGLESTEP),
    NAME(PTRACE_SYSCALL), NAME(PTRACE_TRACEME), NAME(READ_IMPLIES_EXEC), NAME(RLIMIT_AS), NAME(RLIMIT_CORE),
    NAME(RLIMIT_CPU), NAME(RLIMIT_DATA), NAME(RLIMIT_FSIZE), NAME(RLIMIT_LOCKS), NAME(RLIMIT_MEMLOCK),
    NAME(RLIMIT_MSGQUEUE), NAME(RLIMIT_NICE), NAME(RLIMIT_NOFILE), NAME(RLIMIT_NPROC), NAME(RLIMIT_RSS),
    NAME(RLIMIT_RTPRIO), NAME(RLIMIT_RTTIME), NAME(RLIMIT_SIGPENDING), NAME(RLIMIT_STACK), NAME(SCHED_BATCH),
    NAME(SCHED_DEADLINE), NAME(SCHED_FIFO), NAME(SCHED_IDLE), NAME(SCHED_OTHER), NAME(SCHED_RR),
    NAME(SECCOMP_FILTER_FLAG_NEW_LISTENER), NAME(SECCOMP_FILTER_FLAG_TSYNC), NAME(SECCOMP_GET_ACTION_AVAIL),
    NAME(SECCOMP_GET_NOTIF_SIZES), NAME(SECCOMP_SET_MODE_FILTER), NAME(SECCOMP_SET_MODE_STRICT), NAME(SHORT_INODE),
    NAME(SIGABRT), NAME(SIGALRM), NAME(SIGBUS), NAME(SIGCHLD), NAME(SIGCONT), NAME(SIGFPE), NAME(SIGHUP), NAME(SIGILL),
    NAME(SIGINT), NAME(SIGIO), NAME(SIGKILL), NAME(SIGPIPE), NAME(SIGPROF), NAME(SIGPWR), NAME(SIGQUIT), NAME(SIGSEGV),
    NAME(SIGSTOP), NAME(SIGSYS), NAME(SIGTERM), NAME(SIGTRAP), NAME(SIGTSTP), NAME(SIGTTIN), NAME(SIGTTOU),
    NAME(SIGURG), NAME(SIGUSR1), NAME(SIGUSR2), NAME(SIGVTALRM), NAME(SIGWINCH), NAME(SIGXCPU), NAME(SIGXFSZ),
    NAME(SIOCADDRT), NAME(SIOCDELRT), NAME(SIOCGIFADDR), NAME(SIOCGIFCONF), NAME(SIOCGIFFLAGS), NAME(SIOCGIFHWADDR),
    NAME(SIOCGIFINDEX), NAME(SIOCGIFMTU), NAME(SIOCGIFNAME), NAME(SIOCSIFADDR), NAME(SIOCSIFFLAGS),
    NAME(SIOCSIFHWADDR), NAME(SIOCSIFMTU), NAME(SOCK_CLOEXEC), NAME(SOCK_DCCP), NAME(SOCK_DGRAM), NAME(SOCK_NONBLOCK),
    NAME(SOCK_PACKET), NAME(SOCK_RAW), NAME(SOCK_RDM), NAME(SOCK_SEQPACKET), NAME(SOCK_STREAM), NAME(SOL_NETLINK),
    NAME(SOL_SOCKET), NAME(STICKY_TIMEOUTS), NAME(S_IFBLK), NAME(S_IFCHR), NAME(S_IFDIR), NAME(S_IFIFO), NAME(S_IFLNK),
    NAME(S_IFMT), NAME(S_IFREG), NAME(S_IFSOCK), NAME(S_ISGID), NAME(S_ISUID), NAME(S_ISVTX), NAME(TCFLSH),
    NAME(TCGETA), NAME(TCGETS), NAME(TCSBRK), NAME(TCSBRKP), NAME(TCSETA), NAME(TCSETAF), NAME(TCSETAW), NAME(TCSETS),
    NAME(TCSETSF), NAME(TCSETSW), NAME(TCXONC), NAME(TIOCCONS), NAME(TIOCEXCL), NAME(TIOCGETD), NAME(TIOCGPGRP),
    NAME(TIOCGPTLCK), NAME(TIOCGPTN), NAME(TIOCGPTPEER), NAME(TIOCGSID), NAME(TIOCGWINSZ), NAME(TIOCINQ),
    NAME(TIOCLINUX), NAME(TIOCNOTTY), NAME(TIOCNXCL), NAME(TIOCOUTQ), NAME(TIOCPKT), NAME(TIOCSCTTY), NAME(TIOCSETD),
    NAME(TIOCSPGRP), NAME(TIOCSPTLCK), NAME(TIOCSTI), NAME(TIOCSWINSZ), NAME(TIOCVHANGUP), NAME(TUNSETIFF),
    NAME(UNAME26), NAME(WHOLE_SECONDS),
});
#undef NAME
// clang-format on

static_assert(std::ranges::is_sorted(kSymbols, {}, &Symbol::name), "symbol() searches by halves");

/// Second names of an errno; strerrorname_np(3) has the first ones.
constexpr auto kErrorAliases = std::to_array<std::pair<std::string_view, int>>(
    {{"EDEADLOCK", EDEADLOCK}, {"ENOTSUP", ENOTSUP}, {"EWOULDBLOCK", EWOULDBLOCK}});
constexpr int kHighestError = EHWPOISON;

std::string_view error_name(int number) {
    const char* name = ::strerrorname_np(number);
    return name == nullptr ? std::string_view() : name;
}

} // namespace

std::optional<std::uint32_t> symbol(std::string_view name) {
    const auto* found = std::ranges::lower_bound(kSymbols, name, {}, &Symbol::name);
    if (found == kSymbols.end() || found->name != name) {
        return std::nullopt;
    }
    return found->value;
}

namespace {

/// Which symbols an argument may be: by their beginning. `flags`: several of them, joined.
struct NamedArgument {
    std::string_view syscall;
    int argument = 0;
    std::string_view prefix;
    bool flags = false;
};

constexpr NamedArgument kNamedArguments[] = {
    {"clone", 0, "CLONE_", true},  {"ioctl", 1, "FIO"},
    {"ioctl", 1, "FS_IOC_"},       {"ioctl", 1, "SIOC"},
    {"ioctl", 1, "TIOC"},          {"ioctl", 1, "TUN"},
    {"keyctl", 0, "KEYCTL_"},      {"personality", 0, "PER_"},
    {"personality", 0, "UNAME26"}, {"prctl", 0, "PR_"},
    {"ptrace", 0, "PTRACE_"},      {"socket", 0, "AF_"},
    {"socketpair", 0, "AF_"},      {"unshare", 0, "CLONE_", true},
};

/// Of two names for one value the other is meant by nobody.
bool is_alias(std::string_view name) {
    return name == "AF_LOCAL" || name == "AF_ROUTE";
}

std::string flag_words(std::string_view prefix, std::uint32_t value) {
    std::string words;
    for (const Symbol& symbol : kSymbols) {
        if (symbol.name.starts_with(prefix) && std::has_single_bit(symbol.value) && (value & symbol.value) != 0) {
            words += words.empty() ? "" : "|";
            words += symbol.name;
            value &= ~symbol.value;
        }
    }
    return words;
}

} // namespace

std::string argument_words(std::string_view syscall, int argument, std::uint32_t value) {
    for (const NamedArgument& named : kNamedArguments) {
        if (named.syscall != syscall || named.argument != argument) {
            continue;
        }
        if (named.flags) {
            const std::string words = flag_words(named.prefix, value);
            if (!words.empty()) {
                return words;
            }
        }
        for (const Symbol& symbol : kSymbols) {
            if (symbol.name.starts_with(named.prefix) && symbol.value == value && !is_alias(symbol.name)) {
                return std::string(symbol.name);
            }
        }
    }
    return fmt::format("{:#x}", value);
}

std::optional<std::uint32_t> number(std::string_view text) {
    const bool negative = text.starts_with('-');
    text.remove_prefix(negative ? 1 : 0);
    int base = 10;
    if (text.starts_with("0x") || text.starts_with("0X")) {
        base = 16;
        text.remove_prefix(2);
    } else if (text.starts_with("0o")) {
        base = 8;
        text.remove_prefix(2);
    } else if (text.size() > 1 && text.starts_with('0')) {
        base = 8;
    }
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    constexpr std::uint32_t kLowest = std::uint32_t{1} << 31;
    if (negative && value > kLowest) {
        return std::nullopt;
    }
    return negative ? 0U - value : value;
}

int error_number(std::string_view name) {
    for (const auto& [alias, value] : kErrorAliases) {
        if (alias == name) {
            return value;
        }
    }
    for (int candidate = 1; candidate <= kHighestError; ++candidate) {
        if (!name.empty() && error_name(candidate) == name) {
            return candidate;
        }
    }
    return 0;
}

std::string nearest_symbol(std::string_view word) {
    std::vector<std::string_view> known;
    for (const Symbol& entry : kSymbols) {
        known.push_back(entry.name);
    }
    return nearest(word, known);
}

std::string nearest_action(std::string_view word) {
    std::vector<std::string_view> known = {"allow", "deny", "kill", "log"};
    for (int candidate = 1; candidate <= kHighestError; ++candidate) {
        if (!error_name(candidate).empty()) {
            known.push_back(error_name(candidate));
        }
    }
    return nearest(word, known);
}

} // namespace sandbox::syscalls
