/* signals: catches what can be caught, says "ready", then prints "got N" for each signal; SIGUSR2 ends it with 7. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(void) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    setvbuf(stdout, NULL, _IONBF, 0);
    puts("ready");
    for (;;) {
        int number = 0;
        if (sigwait(&all, &number) == 0) {
            printf("got %d\n", number);
            if (number == SIGUSR2) {
                return 7;
            }
        }
    }
}
