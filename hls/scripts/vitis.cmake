# Vitis HLS on the kernels.
#
#   cmake -DSTEP=csim|csynth|cosim|export [-DARRAY=16x16] [-DPART=xcu50-fsvh2104-2-e] [-DCLOCK=3.333] -DOUTPUT=folder
#         -P hls/scripts/vitis.cmake
#
# STEP: see vitis.tcl. ARRAY: 8x8, 16x16, 16x16_compact or 32x32. CLOCK: period in ns. OUTPUT: where the tool puts its project.
cmake_minimum_required(VERSION 3.25)
if(NOT ARRAY)
  set(ARRAY 16x16)
endif()
if(NOT PART)
  set(PART xcu50-fsvh2104-2-e)
endif()
if(NOT CLOCK)
  set(CLOCK 3.333)
endif()
if(NOT STEP MATCHES "^(csim|csynth|cosim|export)$")
  message(FATAL_ERROR "STEP is \"${STEP}\"; it must be csim, csynth, cosim or export")
endif()
if(NOT ARRAY MATCHES "^(8x8|16x16|16x16_compact|32x32)$")
  message(FATAL_ERROR "ARRAY is ${ARRAY}; it must be 8x8, 16x16, 16x16_compact or 32x32")
endif()
if(NOT OUTPUT)
  message(FATAL_ERROR "OUTPUT is not set; it must be a folder for the project of Vitis HLS")
endif()

# The tool was called vitis_hls up to 2024.1; since then vitis-run takes the same scripts.
find_program(VITIS_HLS NAMES vitis_hls)
find_program(VITIS_RUN NAMES vitis-run)
set(script ${CMAKE_CURRENT_LIST_DIR}/vitis.tcl)
if(VITIS_HLS)
  set(command ${VITIS_HLS} -f ${script} -tclargs ${STEP} ${ARRAY} ${PART} ${CLOCK})
elseif(VITIS_RUN)
  set(command ${VITIS_RUN} --mode hls --tcl ${script} -tclargs ${STEP} ${ARRAY} ${PART} ${CLOCK})
else()
  message(FATAL_ERROR "neither vitis_hls nor vitis-run is on the path: ${STEP} needs Vitis. Install it, source its "
    "settings64.sh and try again. Without it, the kernels are built and tested as C++: ctest -R Kernel")
endif()
file(MAKE_DIRECTORY ${OUTPUT})
execute_process(COMMAND ${command} WORKING_DIRECTORY ${OUTPUT} RESULT_VARIABLE code)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "${STEP} of ${ARRAY} failed; its log is in ${OUTPUT}")
endif()
