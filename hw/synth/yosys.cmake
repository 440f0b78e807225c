# Yosys on the RTL: elaboration for the default tests, synthesis for the area table.
#
#   cmake [-DARRAY=8x8|16x16|16x16_compact|32x32] [-DTOP=esp_lane] -P hw/synth/yosys.cmake
#                                                                              reads, elaborates, checks
#   cmake ... -DFAMILY=xcup|xc7 -DOUTPUT=folder -P hw/synth/yosys.cmake         synthesises
#   cmake ... -DPACK_PRODUCTS=OFF ...                                          with a DSP48E2 per product
#   cmake ... -DLUT_SITES=build/bin/lut_sites ...                              with the LUT sites, by that program
#
# Synthesis writes OUTPUT/TOP_ARRAY_FAMILY.json and .txt: one row per module, and the sum over all instances. Every
# module is synthesised once and counted as often as it is used; nothing is flattened across module boundaries.
cmake_minimum_required(VERSION 3.25)
cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH hardware)
include(${hardware}/array_parameters.cmake)
find_program(YOSYS yosys REQUIRED)
if(NOT ARRAY)
  set(ARRAY 8x8)
endif()
if(NOT TOP)
  set(TOP esp_top)
endif()

file(GLOB_RECURSE top_source ${hardware}/rtl/${TOP}.sv)
if(NOT top_source)
  message(FATAL_ERROR "hw/rtl has no module ${TOP}")
endif()
array_parameters(${top_source} ${ARRAY} sizes)
list(TRANSFORM sizes REPLACE "(.*)=(.*)" " -set \\1 \\2")
list(JOIN sizes "" sizes)
if(sizes)
  set(sizes "chparam${sizes} ${TOP}")
endif()

# UltraScale+ has the primitives that the RTL instantiates; other families multiply with plain arithmetic.
set(defines "")
set(library "")
if(FAMILY STREQUAL "xcup")
  set(defines -DESP_DSP48E2)
  set(library "read_verilog -lib +/xilinx/cells_sim.v +/xilinx/cells_xtra.v")
endif()
file(GLOB_RECURSE sources ${hardware}/rtl/*.sv)
list(JOIN sources " " sources)
# The sizes are set before the hierarchy is built: passed to `hierarchy` they would derive the top twice.
set(script "${library}
read_verilog -defer -sv -DYOSYS ${defines} -I${hardware}/abi -I${hardware}/rtl/common ${hardware}/abi/esp_abi_pkg.sv ${sources}
${sizes}
hierarchy -check -top ${TOP}
")

if(NOT FAMILY)
  execute_process(COMMAND ${YOSYS} -q -p "${script}proc\ncheck -assert" RESULT_VARIABLE code OUTPUT_VARIABLE text
    ERROR_VARIABLE text)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${text}")
  endif()
  message("${TOP} elaborated at ${ARRAY}")
  return()
endif()

if(NOT OUTPUT)
  message(FATAL_ERROR "OUTPUT says where the table is written")
endif()
file(MAKE_DIRECTORY ${OUTPUT})
# LUTs of all sizes count alike, and the mapping is for their number. What it finds depends on the structure it starts from:
# the first round keeps that of the RTL, in which multiplexers are cut to fit a LUT; the others start from the network of the
# round before.
set(round "strash;dch,-f;if,-a;mfs2;lutpack")
set(mapping "+strash;if;mfs2,-a;lutpack;${round};${round};${round}")
set(options "-noclkbuf")
if(FAMILY STREQUAL "xcup")
  string(APPEND options " -uram")
endif()
set(name ${TOP}_${ARRAY}_${FAMILY})
if(DEFINED PACK_PRODUCTS AND NOT PACK_PRODUCTS)
  set(name ${TOP}_${ARRAY}_unpacked_${FAMILY})
endif()
set(netlist "")
if(LUT_SITES)
  set(netlist "write_json ${OUTPUT}/${name}.netlist.json\n")
endif()
# ABC gives every flip-flop an inverter of the reset of its own; `opt_merge` leaves one.
# Phase `coarse` is that of synth_xilinx without SAT-based sharing, which takes a quarter of the time: the lane of the
# decoder is no smaller with it.
set(synthesis "synth_xilinx -noiopad -nowidelut ${options} -family ${FAMILY} -top ${TOP} -run")
file(WRITE ${OUTPUT}/${name}.ys "${script}${synthesis} begin:coarse
techmap -map +/cmp2lut.v -map +/cmp2lcu.v -D LUT_WIDTH=6
alumacc
opt
memory -nomap
opt_clean
${synthesis} map_memory:map_luts
opt_expr -mux_undef -noclkinv
abc -lut 6 -script ${mapping}
opt_merge
clean
${synthesis} map_luts:
tee -q -o ${OUTPUT}/${name}.stat stat
${netlist}")
execute_process(COMMAND ${YOSYS} -q -l ${OUTPUT}/${name}.log ${OUTPUT}/${name}.ys RESULT_VARIABLE code
  OUTPUT_QUIET ERROR_QUIET)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "synthesis failed, see ${OUTPUT}/${name}.log")
endif()
# The netlist is large; it stays only if it cannot be read.
if(LUT_SITES)
  execute_process(COMMAND ${LUT_SITES} ${OUTPUT}/${name}.netlist.json OUTPUT_FILE ${OUTPUT}/${name}.sites
    RESULT_VARIABLE code ERROR_VARIABLE text)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "the LUT sites cannot be counted (${code}): ${text}")
  endif()
  file(REMOVE ${OUTPUT}/${name}.netlist.json)
endif()
include(${CMAKE_CURRENT_LIST_DIR}/area_table.cmake)
