/* One socket, one message. */
#include "tests/bench/udp_client.h"

#include "tests/bench/bench.h"
#include "tests/unit/osc_builder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

int udp_client_open(uint16_t port)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof to) != 0)
        bench_die("cannot send to port %u: %s", port, strerror(errno));
    return fd;
}

void udp_client_send(int fd, int64_t number, const char *path, const char *tags, ...)
{
    osc_builder packet = {.length = 0};
    va_list list;
    va_start(list, tags);
    osc_message(&packet, number, path, tags, list);
    va_end(list);
    if (send(fd, packet.bytes, packet.length, 0) < 0) bench_die("cannot send: %s", strerror(errno));
}
