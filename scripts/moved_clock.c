/* Another day for the programs that scripts/test_on_days.sh runs: built as a shared library and named in LD_PRELOAD, it
 * adds CLOCK_AHEAD_SECONDS to the time of day, in PostgreSQL and in the browser, too.  How long something takes
 * is measured by other clocks, which stay as they are.  (Debian's faketime moves those as well, and Python 3.11, which
 * waits for them in ways that faketime does not know, never wakes up.)
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long long seconds_ahead(void)
{
    static long long seconds;
    static int is_known;
    if (!is_known) {
        const char *ahead = getenv("CLOCK_AHEAD_SECONDS");
        seconds = ahead ? atoll(ahead) : 0;
        is_known = 1;
    }
    return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    long failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += seconds_ahead();
    return (int)failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec precise;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now)
{
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME_COARSE, &precise);
    if (now)
        *now = precise.tv_sec;
    return precise.tv_sec;
}

int timespec_get(struct timespec *now, int base)
{
    return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, now) == 0 ? base : 0;
}
