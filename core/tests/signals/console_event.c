/* Sends Ctrl-C to the console of the process whose id is the argument, and so to that process. */
#include <stdlib.h>
#include <windows.h>

int main(int count, char **arguments) {
    if (count != 2) return 2;
    FreeConsole();
    if (!AttachConsole(strtoul(arguments[1], NULL, 10))) return 3;
    SetConsoleCtrlHandler(NULL, TRUE); /* not to this process */
    return GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0) ? 0 : 4;
}
