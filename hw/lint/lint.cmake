# Elaborates RTL modules alone with all warnings of Verilator; any warning fails.
#
#   cmake [-DMODULE=esp_fifo] [-DARRAY=8x8] -P hw/lint/lint.cmake
#
# MODULE: one module; all of hw/rtl if not given. ARRAY: 16x16 (default) or 8x8, the sizes of the array it is part of.
cmake_minimum_required(VERSION 3.25)
cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH hardware)
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

# The parameters that a source declares, as the array size sets them; the defaults are those of 16x16.
function(parameters_of source result)
  set(arguments "")
  if(ARRAY STREQUAL "8x8")
    set(Lanes 8)
    set(Pixels 8)
    set(Bytes 8)
    set(Rows 1024)
    set(BankRows 1024)
    set(Served 4)
    file(READ ${source} text)
    string(REGEX MATCHALL "parameter int unsigned +[A-Za-z]+" declarations "${text}")
    foreach(declaration ${declarations})
      string(REGEX REPLACE ".* " "" name "${declaration}")
      if(DEFINED ${name})
        list(APPEND arguments -G${name}=${${name}})
      elseif(name STREQUAL "RowBits" AND source MATCHES "_unit|bank_port")
        list(APPEND arguments -GRowBits=10)  # of a scratchpad row
      endif()
    endforeach()
  endif()
  set(${result} ${arguments} PARENT_SCOPE)
endfunction()

set(failed "")
foreach(source ${sources})
  cmake_path(GET source STEM module)
  if(MODULE AND NOT module STREQUAL MODULE)
    continue()
  endif()
  parameters_of(${source} parameters)
  execute_process(
    COMMAND ${VERILATOR} --lint-only -Wall --no-timing ${hardware}/lint/waivers.vlt ${includes} ${parameters}
      ${hardware}/abi/esp_abi_pkg.sv ${source} --top-module ${module}
    RESULT_VARIABLE code ERROR_VARIABLE messages OUTPUT_VARIABLE messages)
  if(NOT code EQUAL 0)
    message("${messages}")
    list(APPEND failed ${module})
  endif()
endforeach()
if(failed)
  message(FATAL_ERROR "warnings in ${failed} at ${ARRAY}")
endif()
message("clean at ${ARRAY}")
