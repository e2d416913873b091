/* The address of a sender as one number, and as the text that names it in the log. */
#ifndef SL_INGEST_PEER_ADDRESS_H
#define SL_INGEST_PEER_ADDRESS_H

#include "core/payload.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* An address and port, or an address whose messages bear no numbers. Never 0. */
typedef uint64_t sl_peer_address;

/* Without a port if its messages are not numbered. */
sl_peer_address sl_peer_address_of(const struct sockaddr_in *from, bool is_numbered);

/* Reads "127.0.0.1:52011" or "127.0.0.1". False: it is neither. */
bool sl_peer_address_parse(const char *name, sl_peer_address *out);

/* Writes that. */
void sl_peer_address_name(sl_peer_address address, char name[SL_NAME_BYTES_MAX + 1]);

struct sockaddr_in sl_peer_address_socket(sl_peer_address address);

/* True if both are numbered senders at one IP address. */
bool sl_peer_address_is_near(sl_peer_address one, sl_peer_address other);

#endif
