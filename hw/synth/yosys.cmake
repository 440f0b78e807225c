# Yosys on the RTL: elaboration for the default tests, synthesis for the area table.
#
#   cmake [-DARRAY=8x8|16x16] -P hw/synth/yosys.cmake                                   reads, elaborates, checks
#   cmake [-DARRAY=...] -DFAMILY=xcup|xc7 -DOUTPUT=folder -P hw/synth/yosys.cmake       synthesises
#
# Synthesis writes OUTPUT/area_ARRAY_FAMILY.json and .txt: one row per module with its instances, and the sum. Every
# module is synthesised once and counted as often as it is used; nothing is flattened across module boundaries.
cmake_minimum_required(VERSION 3.25)
cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH hardware)
find_program(YOSYS yosys REQUIRED)
if(NOT ARRAY)
  set(ARRAY 8x8)
endif()
string(REGEX MATCH "^([0-9]+)x([0-9]+)$" matched "${ARRAY}")
set(lanes ${CMAKE_MATCH_1})
set(pixels ${CMAKE_MATCH_2})
set(rows 4096)
if(ARRAY STREQUAL "8x8")
  set(rows 1024)
endif()

file(GLOB_RECURSE sources ${hardware}/rtl/*.sv)
list(JOIN sources " " sources)
# The sizes are set before the hierarchy is built: passed to `hierarchy` they would derive the top twice.
set(script "read_verilog -defer -sv -DYOSYS -I${hardware}/abi -I${hardware}/rtl/common ${hardware}/abi/esp_abi_pkg.sv ${sources}
chparam -set Lanes ${lanes} -set Pixels ${pixels} -set BankRows ${rows} esp_top
hierarchy -check -top esp_top
")

if(NOT FAMILY)
  execute_process(COMMAND ${YOSYS} -q -p "${script}proc\ncheck -assert" RESULT_VARIABLE code OUTPUT_VARIABLE text
    ERROR_VARIABLE text)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${text}")
  endif()
  message("elaborated at ${ARRAY}")
  return()
endif()

if(NOT OUTPUT)
  message(FATAL_ERROR "OUTPUT says where the table is written")
endif()
file(MAKE_DIRECTORY ${OUTPUT})
set(name area_${ARRAY}_${FAMILY})
file(WRITE ${OUTPUT}/${name}.ys "${script}synth_xilinx -family ${FAMILY} -top esp_top
tee -q -o ${OUTPUT}/${name}.stat stat
")
execute_process(COMMAND ${YOSYS} -q -l ${OUTPUT}/${name}.log ${OUTPUT}/${name}.ys RESULT_VARIABLE code
  OUTPUT_QUIET ERROR_QUIET)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "synthesis failed, see ${OUTPUT}/${name}.log")
endif()
include(${CMAKE_CURRENT_LIST_DIR}/area_table.cmake)
