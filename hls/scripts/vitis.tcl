# One step of Vitis HLS on the core of an array; hls/scripts/vitis.cmake calls it.
#
#   vitis_hls -f vitis.tcl -tclargs csim|csynth|cosim|export ARRAY PART CLOCK
#
# csim: the test bench on the C++ sources. csynth: synthesis and its report. cosim: the test bench on the RTL that was
# synthesised. export: that RTL as a packaged block, for the register file and the pins of hls/rtl/esp_hls_top.sv.
set position [lsearch -exact $argv -tclargs]
lassign [lrange $argv [expr {$position + 1}] end] step array part clock
set folder [file dirname [file dirname [file normalize [info script]]]]
set abi [file join [file dirname $folder] hw abi]
set flags "-std=c++17 -I$folder/include -I$folder/include/$array -I$folder/kernels -I$abi"

open_project -reset esp_machine_core_$array
set_top esp_machine_core
add_files $folder/kernels/esp_machine_core.cpp -cflags $flags
add_files -tb $folder/scripts/testbench.cpp -cflags $flags
open_solution -reset solution -flow_target vivado
set_part $part
create_clock -period $clock
config_rtl -reset all -reset_level low

switch $step {
  csim {
    csim_design
  }
  csynth {
    csynth_design
  }
  cosim {
    csynth_design
    cosim_design
  }
  export {
    csynth_design
    export_design -format ip_catalog -ipname esp_machine_core_$array -vendor espalier -library kernel -version 1.0
  }
  default {
    puts "the step is \"$step\"; it must be csim, csynth, cosim or export"
    exit 1
  }
}
exit
