// The contract as a SystemVerilog package.
package esp_abi_pkg;
`include "esp_abi.svh"
endpackage
