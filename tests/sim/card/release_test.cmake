# FindXRT.cmake refuses an XRT release that the shim does not know: cmake -DFIND=<file> -DFOLDER=<folder> -P this file
file(WRITE ${FOLDER}/xrt/xrt_device.h "")
file(WRITE ${FOLDER}/version.h "#define XRT_VERSION_CODE XRT_VERSION(2, 16)\n")
execute_process(COMMAND ${CMAKE_COMMAND} -DXRT_INCLUDE_DIR=${FOLDER} -P ${FIND}
  RESULT_VARIABLE result ERROR_VARIABLE message)
string(REGEX REPLACE "[ \n]+" " " message "${message}")
if(result EQUAL 0 OR NOT message MATCHES "XRT 2.16 was found in .* knows the interface of XRT 2.13 only")
  message(FATAL_ERROR "accepted, or without a clear message: ${message}")
endif()
