// One end of a connection, for measuring: `traffic serve` answers on 127.0.0.1, the others are its
// clients and print how many seconds their work took.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { buffer_size = 1 << 17 };
static char buffer[buffer_size];

static void give_up(const char* what) {
    perror(what);
    exit(1);
}

static void send_bytes(int peer, uint64_t count) {
    while (count > 0) {
        const size_t part = count < buffer_size ? (size_t)count : buffer_size;
        const ssize_t sent = send(peer, buffer, part, MSG_NOSIGNAL);
        if (sent <= 0)
            give_up("send");
        count -= (uint64_t)sent;
    }
}

/// Up to the end of the stream.
static uint64_t receive_bytes(int peer) {
    uint64_t total = 0;
    for (;;) {
        const ssize_t count = recv(peer, buffer, buffer_size, 0);
        if (count < 0)
            give_up("recv");
        if (count == 0)
            return total;
        total += (uint64_t)count;
    }
}

/// A client begins with what it wants: 0 to send, else the number of bytes to get.
static void serve(int port) {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr*)&address, sizeof address) < 0 || listen(listener, 128) < 0)
        give_up("listen");
    puts("ready");
    fflush(stdout);
    for (;;) {
        const int peer = accept(listener, NULL, NULL);
        uint64_t wanted = 0;
        if (peer >= 0 && recv(peer, &wanted, sizeof wanted, MSG_WAITALL) == (ssize_t)sizeof wanted) {
            if (wanted == 0)
                receive_bytes(peer);
            else
                send_bytes(peer, wanted);
            // The last byte is the word that all has come.
            send(peer, "", 1, MSG_NOSIGNAL);
        }
        close(peer);
    }
}

static int open_connection(const char* host, int port, uint64_t wanted) {
    const int peer = socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, host, &address.sin_addr);
    if (connect(peer, (struct sockaddr*)&address, sizeof address) < 0)
        give_up("connect");
    if (send(peer, &wanted, sizeof wanted, MSG_NOSIGNAL) != (ssize_t)sizeof wanted)
        give_up("send");
    return peer;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char** argv) {
    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        serve(atoi(argv[2]));
    if (argc != 5) {
        fputs("usage: traffic serve PORT | traffic send|receive|connect ADDR PORT COUNT\n", stderr);
        return 2;
    }
    const int port = atoi(argv[3]);
    const uint64_t count = strtoull(argv[4], NULL, 10);
    const double begin = now();
    if (strcmp(argv[1], "send") == 0) {
        const int peer = open_connection(argv[2], port, 0);
        send_bytes(peer, count);
        shutdown(peer, SHUT_WR);
        // Not up to the end of the stream, which pasta 2023-03-09 keeps back from who has ended his own.
        char answer = 1;
        if (recv(peer, &answer, 1, 0) != 1)
            give_up("recv");
    } else if (strcmp(argv[1], "receive") == 0) {
        if (receive_bytes(open_connection(argv[2], port, count)) != count + 1)
            give_up("short");
    } else {
        for (uint64_t i = 0; i < count; i++) {
            const int peer = open_connection(argv[2], port, 1);
            receive_bytes(peer);
            close(peer);
        }
    }
    printf("%.6f\n", now() - begin);
    return 0;
}
