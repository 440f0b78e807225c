# One step from the files of espalier_board to an image; each needs the one before it.
#
#   cmake -DSTEP=core|kernel|image|seal|firmware -DFOLDER=build/boards/u50 -DTOOL=build/bin/espalier_board
#         -P bitstreams/vivado/image.cmake
#
# core, for a kernel made with --kernel hls: exports the core (Vitis HLS). kernel: packages the kernel (vivado). image: places and routes it into the platform of the board (v++). seal: writes the digest
# of the image into its manifest. firmware, for Zynq: what the board's firmware manager loads (xclbinutil, bootgen, dtc).
cmake_minimum_required(VERSION 3.25)
if(NOT STEP MATCHES "^(core|kernel|image|firmware|seal)$")
  message(FATAL_ERROR "STEP is \"${STEP}\"; it must be core, kernel, image, seal or firmware")
endif()
cmake_path(ABSOLUTE_PATH FOLDER BASE_DIRECTORY ${CMAKE_SOURCE_DIR} NORMALIZE)
if(NOT EXISTS ${FOLDER}/settings.tcl)
  message(FATAL_ERROR "${FOLDER} has no settings.tcl; make the files of a board with espalier_board make")
endif()

function(setting name)
  file(STRINGS ${FOLDER}/settings.tcl lines REGEX "^set ${name} ")
  string(REGEX REPLACE "^set ${name} " "" value "${lines}")
  set(${name} ${value} PARENT_SCOPE)
endfunction()
foreach(name application part platform array exported_block clock_mhz object zynq)
  setting(${name})
endforeach()

# Finds a program of the vendor's, or says which product has it.
function(need variable program product)
  find_program(${variable} ${program})
  if(NOT ${variable})
    message(FATAL_ERROR "${program} is not on the path: the step ${STEP} needs ${product}. Install it, source its "
      "settings64.sh and try again. The files made so far are in ${FOLDER}")
  endif()
endfunction()

function(call)
  execute_process(COMMAND ${ARGV} WORKING_DIRECTORY ${FOLDER} RESULT_VARIABLE code)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "the step ${STEP} failed; its logs are in ${FOLDER}")
  endif()
endfunction()

function(need_file name step)
  if(NOT EXISTS ${FOLDER}/${name})
    message(FATAL_ERROR "${FOLDER}/${name} is missing; the step ${step} makes it")
  endif()
endfunction()

# Where Vitis HLS puts what it exports.
set(exported hls/${exported_block}/solution/impl/ip)

if(STEP STREQUAL "core")
  if(exported_block STREQUAL "{}")
    message(FATAL_ERROR "the kernel of ${FOLDER} is RTL: there is no core to export; the next step is kernel")
  endif()
  math(EXPR picoseconds "1000000 / ${clock_mhz}")
  math(EXPR nanoseconds "${picoseconds} / 1000")
  math(EXPR rest "${picoseconds} % 1000 + 1000")
  string(SUBSTRING ${rest} 1 3 rest)
  call(${CMAKE_COMMAND} -DSTEP=export -DARRAY=${array} -DPART=${part} -DCLOCK=${nanoseconds}.${rest}
    -DOUTPUT=${FOLDER}/hls -P ${CMAKE_CURRENT_LIST_DIR}/../../hls/scripts/vitis.cmake)
elseif(STEP STREQUAL "kernel")
  need(VIVADO vivado "Vivado")
  if(NOT exported_block STREQUAL "{}")
    need_file(${exported}/component.xml core)
  endif()
  call(${VIVADO} -mode batch -source ${CMAKE_CURRENT_LIST_DIR}/package.tcl -tclargs ${FOLDER})
elseif(STEP STREQUAL "image")
  need(VITIS v++ "Vitis and the platform ${platform}")
  need_file(${object} kernel)
  call(${VITIS} --link --target hw --config link.cfg --output ${application}.xclbin ${object})
elseif(STEP STREQUAL "firmware")
  if(NOT zynq)
    message(FATAL_ERROR "the board of ${FOLDER} is a card: XRT loads its image, there is no firmware")
  endif()
  need(XCLBINUTIL xclbinutil "Vitis or XRT")
  need(BOOTGEN bootgen "Vitis")
  need(DTC dtc "the package device-tree-compiler")
  need_file(${application}.xclbin image)
  call(${XCLBINUTIL} --force --dump-section BITSTREAM:RAW:${application}.bit --input ${application}.xclbin)
  call(${BOOTGEN} -w -arch zynqmp -process_bitstream bin -image ${application}.bif)
  call(${DTC} -@ -I dts -O dtb -o ${application}.dtbo ${application}.dtso)
  set(firmware ${FOLDER}/firmware/${application})
  file(REMOVE_RECURSE ${firmware})
  file(COPY ${FOLDER}/${application}.bit.bin ${FOLDER}/${application}.dtbo ${FOLDER}/${application}.xclbin
    ${FOLDER}/shell.json ${FOLDER}/manifest.json DESTINATION ${firmware})
  message("copy ${firmware} to /lib/firmware/xilinx/ of the board")
else()
  need_file(${application}.xclbin image)
  call(${TOOL} seal ${FOLDER})
endif()
