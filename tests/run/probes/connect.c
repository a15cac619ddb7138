/* connect tcp PORT | tcp6 PORT | abstract NAME | path PATH: connects a stream socket. "NAME: ok" or "NAME: ERRNO".
 * connect self: listens on 127.0.0.1 and connects to itself. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "answer.h"

static long connect_ipv4(unsigned short port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? -1 : connect(fd, (struct sockaddr*)&address, sizeof address);
}

static long connect_ipv6(unsigned short port) {
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    address.sin6_addr = in6addr_loopback;
    const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? -1 : connect(fd, (struct sockaddr*)&address, sizeof address);
}

static long connect_unix(const char* name, int abstract) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const size_t offset = abstract ? 1 : 0;
    strncpy(address.sun_path + offset, name, sizeof address.sun_path - offset - 1);
    const socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + offset + strlen(name));
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? -1 : connect(fd, (struct sockaddr*)&address, length);
}

static long connect_self(void) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr*)&address, sizeof address) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr*)&address, &length) != 0) {
        return -1;
    }
    return connect_ipv4(ntohs(address.sin_port));
}

int main(int argc, char** argv) {
    long result = -1;
    if (argc == 2 && strcmp(argv[1], "self") == 0) {
        result = connect_self();
    } else if (argc != 3) {
        return 2;
    } else if (strcmp(argv[1], "tcp") == 0) {
        result = connect_ipv4((unsigned short)atoi(argv[2]));
    } else if (strcmp(argv[1], "tcp6") == 0) {
        result = connect_ipv6((unsigned short)atoi(argv[2]));
    } else if (strcmp(argv[1], "abstract") == 0) {
        result = connect_unix(argv[2], 1);
    } else {
        result = connect_unix(argv[2], 0);
    }
    answer(argv[1], result);
    return result >= 0 ? 0 : 1;
}
