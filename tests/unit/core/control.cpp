#include "core/control.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <boost/test/unit_test.hpp>

using namespace sandbox;

namespace {

ino_t inode_of(int descriptor) {
    struct stat status {};
    return ::fstat(descriptor, &status) == 0 ? status.st_ino : 0;
}

Fd open_namespace(std::size_t index) {
    const std::string path = std::string("/proc/self/ns/") + kNamespaceNames.at(index);
    return Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

} // namespace

BOOST_AUTO_TEST_SUITE(control_socket)

BOOST_AUTO_TEST_CASE(all_namespaces_arrive_in_their_order_with_who_cmd_is) {
    const control::Pair pair = control::make_pair();
    std::array<Fd, kNamespaceNames.size()> sent;
    std::array<int, kNamespaceNames.size()> numbers{};
    for (std::size_t i = 0; i < sent.size(); ++i) {
        sent[i] = open_namespace(i);
        numbers[i] = sent[i].get();
    }
    ChildMessage message{};
    message.kind = ChildMessage::Kind::namespaces;
    message.identity.uid = 33;
    BOOST_REQUIRE(control::send_descriptors(pair.child.get(), message, numbers) > 0);

    const std::optional<control::Received> received = control::receive(pair.supervisor.get());
    BOOST_REQUIRE(received.has_value());
    BOOST_TEST((received->message.kind == ChildMessage::Kind::namespaces));
    BOOST_TEST(received->message.identity.uid == 33U);
    BOOST_TEST(!received->descriptor);
    for (std::size_t i = 0; i < sent.size(); ++i) {
        BOOST_TEST(inode_of(received->namespaces[i].get()) == inode_of(numbers[i]), kNamespaceNames[i]);
        BOOST_TEST((::fcntl(received->namespaces[i].get(), F_GETFD) & FD_CLOEXEC) != 0, kNamespaceNames[i]);
    }
}

BOOST_AUTO_TEST_CASE(what_comes_behind_the_namespaces_is_the_descriptor) {
    const control::Pair pair = control::make_pair();
    const Fd net = open_namespace(2);
    const Fd directory(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    std::array<int, kNamespaceNames.size() + 1> numbers{};
    numbers.fill(net.get());
    numbers.back() = directory.get();
    ChildMessage message{};
    message.kind = ChildMessage::Kind::namespaces;
    BOOST_REQUIRE(control::send_descriptors(pair.child.get(), message, numbers) > 0);
    const std::optional<control::Received> received = control::receive(pair.supervisor.get());
    BOOST_REQUIRE(received.has_value());
    BOOST_TEST(inode_of(received->namespaces.back().get()) == inode_of(net.get()));
    BOOST_TEST(inode_of(received->descriptor.get()) == inode_of(directory.get()));
}

BOOST_AUTO_TEST_CASE(one_descriptor_stands_alone) {
    const control::Pair pair = control::make_pair();
    const Fd net = open_namespace(2);
    BOOST_REQUIRE(control::send_descriptor(pair.child.get(), ChildMessage::Kind::network, net.get()) > 0);
    const std::optional<control::Received> received = control::receive(pair.supervisor.get());
    BOOST_REQUIRE(received.has_value());
    BOOST_TEST(inode_of(received->descriptor.get()) == inode_of(net.get()));
    BOOST_TEST(!received->namespaces.front());
    BOOST_TEST(received->sender == ::getpid());
}

BOOST_AUTO_TEST_SUITE_END()
