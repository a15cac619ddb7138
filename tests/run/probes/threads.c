/* threads N: N threads each add 1 to a sum under a mutex 1000 times. Prints the sum. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long sum;

static void* work(void* unused) {
    (void)unused;
    for (int i = 0; i < 1000; ++i) {
        pthread_mutex_lock(&lock);
        ++sum;
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

int main(int argc, char** argv) {
    const int count = argc > 1 ? atoi(argv[1]) : 8;
    pthread_t threads[256];
    for (int i = 0; i < count && i < 256; ++i) {
        if (pthread_create(&threads[i], NULL, work, NULL) != 0) {
            perror("pthread_create");
            return 1;
        }
    }
    for (int i = 0; i < count && i < 256; ++i) {
        pthread_join(threads[i], NULL);
    }
    printf("%ld\n", sum);
    return 0;
}
