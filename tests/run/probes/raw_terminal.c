/* raw_terminal: puts the terminal of standard input into raw mode and ends without putting it back. */
#include <stdio.h>
#include <termios.h>

int main(void) {
    struct termios modes;
    if (tcgetattr(0, &modes) != 0) {
        perror("tcgetattr");
        return 1;
    }
    cfmakeraw(&modes);
    if (tcsetattr(0, TCSANOW, &modes) != 0) {
        perror("tcsetattr");
        return 1;
    }
    puts("raw");
    return 0;
}
