/* Stands before the C library's statx: a path that ends in "dead/maintenance" hangs while the directory that
   HANGS names exists. So a stat of it does what one on a dead network mount does, and can be revived. That one
   hangs is told by a file of the same name with ".reached". */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int statx(int directory, const char *path, int flags, unsigned int mask, struct statx *buffer) {
    static const char dead[] = "dead/maintenance";
    const char *hangs = getenv("HANGS");
    size_t length = path ? strlen(path) : 0, tail = sizeof dead - 1;
    if (hangs && length >= tail && strcmp(path + length - tail, dead) == 0 && access(hangs, F_OK) == 0) {
        char reached[4096];
        snprintf(reached, sizeof reached, "%s.reached", hangs);
        close(creat(reached, 0600));
        while (access(hangs, F_OK) == 0)
            usleep(1000);
    }
    int (*real)(int, const char *, int, unsigned int, struct statx *) = dlsym(RTLD_NEXT, "statx");
    return real(directory, path, flags, mask, buffer);
}
