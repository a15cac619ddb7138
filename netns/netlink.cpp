#include "netns/netlink.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace sandbox::netns {

namespace {

/// The kernel reads every attribute at a multiple of four.
void pad(std::vector<std::byte>& bytes) {
    bytes.resize(NLMSG_ALIGN(bytes.size()));
}

} // namespace

void NetlinkRequest::add_bytes(std::span<const std::byte> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    pad(bytes_);
}

NetlinkRequest& NetlinkRequest::add(std::uint16_t attribute, std::span<const std::byte> value) {
    return nest(attribute, [&](NetlinkRequest& inner) {
        inner.bytes_.insert(inner.bytes_.end(), value.begin(), value.end()); // what pads it is not counted
    });
}

NetlinkRequest& NetlinkRequest::add(std::uint16_t attribute, std::string_view text) {
    std::vector<std::byte> bytes(text.size() + 1);
    std::memcpy(bytes.data(), text.data(), text.size());
    return add(attribute, std::span<const std::byte>(bytes));
}

NetlinkRequest& NetlinkRequest::nest(std::uint16_t attribute, const std::function<void(NetlinkRequest&)>& fill) {
    const std::size_t start = bytes_.size();
    nlattr header{.nla_len = 0, .nla_type = attribute};
    add_bytes(std::as_bytes(std::span(&header, 1)));
    fill(*this);
    header.nla_len = static_cast<std::uint16_t>(bytes_.size() - start);
    std::memcpy(bytes_.data() + start, &header, sizeof header);
    pad(bytes_);
    return *this;
}

std::vector<std::byte> NetlinkRequest::finish(std::uint32_t sequence) const {
    std::vector<std::byte> message = bytes_;
    const nlmsghdr header{.nlmsg_len = static_cast<std::uint32_t>(message.size()),
                          .nlmsg_type = type_,
                          .nlmsg_flags = static_cast<std::uint16_t>(flags_ | NLM_F_REQUEST | NLM_F_ACK),
                          .nlmsg_seq = sequence,
                          .nlmsg_pid = 0};
    std::memcpy(message.data(), &header, sizeof header);
    return message;
}

std::vector<NetlinkAttribute> attributes(const nlmsghdr& message, std::size_t fixed) {
    std::vector<NetlinkAttribute> found;
    const auto* const start = reinterpret_cast<const std::byte*>(&message);
    std::size_t at = NLMSG_HDRLEN + NLMSG_ALIGN(fixed);
    nlattr header{};
    while (at + sizeof header <= message.nlmsg_len) {
        std::memcpy(&header, start + at, sizeof header);
        if (header.nla_len < NLA_HDRLEN || at + header.nla_len > message.nlmsg_len) {
            break;
        }
        found.push_back({static_cast<std::uint16_t>(header.nla_type & NLA_TYPE_MASK),
                         {start + at + NLA_HDRLEN, start + at + header.nla_len}});
        at += NLA_ALIGN(header.nla_len);
    }
    return found;
}

int Netlink::ask(const NetlinkRequest& request, const std::function<void(const nlmsghdr&)>& each) {
    const std::uint32_t sequence = ++sequence_;
    const std::vector<std::byte> message = request.finish(sequence);
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    if (::sendto(socket_.get(), message.data(), message.size(), 0, reinterpret_cast<const sockaddr*>(&kernel),
                 sizeof kernel) < 0) {
        return errno;
    }
    alignas(nlmsghdr) char answer[32768]; // NLMSG_GOODSIZE of a dump is not larger
    for (;;) {
        const ssize_t count = ::recv(socket_.get(), answer, sizeof answer, 0);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return count < 0 ? errno : EPROTO;
        }
        auto left = static_cast<std::uint32_t>(count);
        for (auto* part = reinterpret_cast<nlmsghdr*>(answer); NLMSG_OK(part, left); part = NLMSG_NEXT(part, left)) {
            if (part->nlmsg_seq != sequence) {
                continue;
            }
            if (part->nlmsg_type == NLMSG_DONE) {
                return 0;
            }
            if (part->nlmsg_type == NLMSG_ERROR) {
                return -static_cast<const nlmsgerr*>(NLMSG_DATA(part))->error;
            }
            if (each) {
                each(*part);
            }
        }
    }
}

} // namespace sandbox::netns
