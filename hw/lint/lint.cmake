# Elaborates RTL modules alone with all warnings of Verilator; any warning fails.
#
#   cmake [-DMODULE=esp_fifo] [-DARRAY=8x8] -P hw/lint/lint.cmake
#
# MODULE: one module; all of hw/rtl if not given. ARRAY: 8x8, 16x16 (default) or 32x32, the array it is part of.
cmake_minimum_required(VERSION 3.25)
cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH hardware)
include(${hardware}/array_parameters.cmake)
find_program(VERILATOR verilator REQUIRED)
if(NOT ARRAY)
  set(ARRAY 16x16)
endif()

file(GLOB_RECURSE sources ${hardware}/rtl/*.sv)
set(includes -I${hardware}/abi -I${hardware}/rtl)
foreach(source ${sources})
  cmake_path(GET source PARENT_PATH folder)
  list(APPEND includes -I${folder})
endforeach()
list(REMOVE_DUPLICATES includes)

set(failed "")
set(found FALSE)
foreach(source ${sources})
  cmake_path(GET source STEM module)
  if(MODULE AND NOT module STREQUAL MODULE)
    continue()
  endif()
  set(found TRUE)
  array_parameters(${source} ${ARRAY} parameters)
  list(TRANSFORM parameters PREPEND -G)
  execute_process(
    COMMAND ${VERILATOR} --lint-only -Wall --no-timing ${hardware}/lint/waivers.vlt ${includes} ${parameters}
      ${hardware}/abi/esp_abi_pkg.sv ${source} --top-module ${module}
    RESULT_VARIABLE code ERROR_VARIABLE messages OUTPUT_VARIABLE messages)
  if(NOT code EQUAL 0)
    message("${messages}")
    list(APPEND failed ${module})
  endif()
endforeach()
if(NOT found)
  message(FATAL_ERROR "hw/rtl has no module ${MODULE}")
endif()
if(failed)
  message(FATAL_ERROR "warnings in ${failed} at ${ARRAY}")
endif()
message("clean at ${ARRAY}")
