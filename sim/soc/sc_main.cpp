// The library of SystemC refers to the main program of a simulation. Programs with a main of their own never call it.
#include <systemc>

int sc_main(int, char**) { return 0; }
