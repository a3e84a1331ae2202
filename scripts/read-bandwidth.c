// Memory read bandwidth of some threads together, in GB/s: median of several passes over a working set.
// Usage: read-bandwidth THREADS MEBIBYTES
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { PASSES = 9 };

static int threads;
static size_t words;
static uint64_t * memory;
static pthread_barrier_t barrier;
static volatile uint64_t sink;

static void * read_share(void * number) {
    const size_t share = words / threads, start = (size_t) number * share;
    for (int pass = 0; pass < PASSES; pass++) {
        pthread_barrier_wait(&barrier);
        uint64_t sums[32] = { 0 };
        for (size_t i = start; i + 32 <= start + share; i += 32) {
            for (int lane = 0; lane < 32; lane++) {
                sums[lane] += memory[i + lane];
            }
        }
        for (int lane = 0; lane < 32; lane++) {
            sink += sums[lane];
        }
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static int ascending(const void * a, const void * b) {
    const double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

int main(int argc, char ** argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: read-bandwidth THREADS MEBIBYTES\n");
        return 2;
    }
    threads = atoi(argv[1]);
    const size_t bytes = (size_t) atoi(argv[2]) << 20;
    words  = bytes / sizeof(uint64_t);
    memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
#ifdef MADV_HUGEPAGE
    madvise(memory, bytes, MADV_HUGEPAGE);
#endif
    memset(memory, 1, bytes);
    pthread_barrier_init(&barrier, NULL, threads + 1);
    pthread_t workers[64];
    for (int i = 0; i < threads && i < 64; i++) {
        pthread_create(&workers[i], NULL, read_share, (void *) (size_t) i);
    }
    double rates[PASSES];
    for (int pass = 0; pass < PASSES; pass++) {
        pthread_barrier_wait(&barrier);
        const double started = now();
        pthread_barrier_wait(&barrier);
        rates[pass] = bytes / (now() - started) / 1e9;
    }
    qsort(rates, PASSES, sizeof(double), ascending);
    printf("%.2f\n", rates[PASSES / 2]);
    return 0;
}
