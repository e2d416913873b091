/* 32 bits of address, 16 of port, 1 that tells whether there is a port, 1 that is always set. */
#include "ingest/peer_address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_SHIFT = 18, PORT_SHIFT = 2, IS_NUMBERED = 2, IS_SET = 1 };

static sl_peer_address make(uint32_t host, uint16_t port, bool is_numbered)
{
    uint64_t flags = is_numbered ? IS_NUMBERED | IS_SET : IS_SET;
    return (uint64_t)host << HOST_SHIFT | (uint64_t)port << PORT_SHIFT | flags;
}

sl_peer_address sl_peer_address_of(const struct sockaddr_in *from, bool is_numbered)
{
    return make(ntohl(from->sin_addr.s_addr), is_numbered ? ntohs(from->sin_port) : 0, is_numbered);
}

bool sl_peer_address_parse(const char *name, sl_peer_address *out)
{
    char host[INET_ADDRSTRLEN];
    const char *colon = strchr(name, ':');
    size_t length = colon != NULL ? (size_t)(colon - name) : strlen(name);
    if (length >= sizeof host) return false;
    memcpy(host, name, length);
    host[length] = '\0';
    struct in_addr parsed;
    if (inet_pton(AF_INET, host, &parsed) != 1) return false;
    unsigned long port = 0;
    if (colon != NULL) {
        if (colon[1] < '0' || colon[1] > '9') return false;
        char *end;
        port = strtoul(colon + 1, &end, 10);
        if (*end != '\0' || port > UINT16_MAX) return false;
    }
    *out = make(ntohl(parsed.s_addr), (uint16_t)port, colon != NULL);
    return true;
}

struct sockaddr_in sl_peer_address_socket(sl_peer_address address)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)(address >> PORT_SHIFT)),
                                .sin_addr.s_addr = htonl((uint32_t)(address >> HOST_SHIFT))};
}

void sl_peer_address_name(sl_peer_address address, char name[SL_NAME_BYTES_MAX + 1])
{
    struct sockaddr_in socket = sl_peer_address_socket(address);
    inet_ntop(AF_INET, &socket.sin_addr, name, SL_NAME_BYTES_MAX + 1);
    if ((address & IS_NUMBERED) == 0) return;
    size_t length = strlen(name);
    snprintf(name + length, SL_NAME_BYTES_MAX + 1 - length, ":%u", ntohs(socket.sin_port));
}

bool sl_peer_address_is_near(sl_peer_address one, sl_peer_address other)
{
    return (one & other & IS_NUMBERED) != 0 && one >> HOST_SHIFT == other >> HOST_SHIFT;
}
