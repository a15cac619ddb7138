// rtnetlink(7) without a library: the few requests with which a network namespace is laid out.
#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/base/fd.hpp"

namespace sandbox::netns {

/// One message: a header, the fixed part of its type, attributes behind it, which may nest.
class NetlinkRequest {
public:
    /// \param flags besides NLM_F_REQUEST: NLM_F_CREATE, NLM_F_EXCL, NLM_F_DUMP ...
    template <class Fixed> NetlinkRequest(std::uint16_t type, std::uint16_t flags, const Fixed& fixed) {
        bytes_.resize(NLMSG_HDRLEN);
        type_ = type;
        flags_ = flags;
        add_bytes(std::as_bytes(std::span(&fixed, 1)));
    }

    NetlinkRequest& add(std::uint16_t attribute, std::span<const std::byte> value);
    NetlinkRequest& add(std::uint16_t attribute, std::string_view text); ///< with a zero behind it
    template <class Value>
    requires(std::is_trivially_copyable_v<Value> &&
             !std::is_convertible_v<Value, std::string_view>) NetlinkRequest& add(std::uint16_t attribute,
                                                                                  const Value& value) {
        return add(attribute, std::as_bytes(std::span(&value, 1)));
    }
    /// The attributes that `fill` adds, inside of this one.
    NetlinkRequest& nest(std::uint16_t attribute, const std::function<void(NetlinkRequest&)>& fill);
    /// The same behind a fixed part: VETH_INFO_PEER holds a whole message.
    template <class Fixed> NetlinkRequest& nest(std::uint16_t attribute, const Fixed& fixed,
                                                const std::function<void(NetlinkRequest&)>& fill) {
        return nest(attribute, [&](NetlinkRequest& inner) {
            inner.add_bytes(std::as_bytes(std::span(&fixed, 1)));
            fill(inner);
        });
    }

    /// The whole, ready to be sent.
    [[nodiscard]] std::vector<std::byte> finish(std::uint32_t sequence) const;

private:
    void add_bytes(std::span<const std::byte> bytes);

    std::vector<std::byte> bytes_;
    std::uint16_t type_ = 0;
    std::uint16_t flags_ = 0;
};

/// An attribute as it was received.
struct NetlinkAttribute {
    std::uint16_t type = 0;
    std::span<const std::byte> value;
};

/// The attributes behind the fixed part of a message, which is `fixed` bytes long.
[[nodiscard]] std::vector<NetlinkAttribute> attributes(const nlmsghdr& message, std::size_t fixed);

/// A socket of some network namespace. What may be done there is a matter of who sends, not of who opened it: every
/// request is sent to an address in so many words, and the kernel then asks for the capabilities of the sender alone
/// (NETLINK_SKB_DST, netlink_ns_capable() in net/netlink/af_netlink.c). The owner of two user namespaces so works in
/// both at once, without standing in either: user_namespaces(7), "Capabilities".
class Netlink {
public:
    explicit Netlink(Fd socket) : socket_(std::move(socket)) {}

    /// Sends and waits for the answer. \param each of a dump takes each message.
    /// \return 0, or the errno that the kernel answers with.
    [[nodiscard]] int ask(const NetlinkRequest& request, const std::function<void(const nlmsghdr&)>& each = {});

private:
    Fd socket_;
    std::uint32_t sequence_ = 0;
};

} // namespace sandbox::netns
