/* Listens under a name that has no file. */
#define _GNU_SOURCE
#include <sys/socket.h>
#include <sys/un.h>
#include "plugin.h"

__attribute__((constructor)) static void begin(void) {
    struct sockaddr_un here = { .sun_family = AF_UNIX, .sun_path = "\0patchbay-trial" };
    int socket_of_it = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(socket_of_it, (struct sockaddr *)&here, sizeof here);
    listen(socket_of_it, 1);
}
