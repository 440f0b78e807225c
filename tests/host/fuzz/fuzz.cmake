# cmake -DSOURCE=tree -DBUILD=folder [-DTARGETS="onnx;image"] -P fuzz.cmake: builds the fuzzers with sanitizers and runs
# each for ESPALIER_FUZZ_SECONDS (environment, default 120) on the seeds and the kept corpus. What is found stays in
# BUILD/findings; minimise it (fuzz_X -minimize_crash=1 FILE) and keep it in corpus/X.
set(seconds $ENV{ESPALIER_FUZZ_SECONDS})
if(NOT seconds)
  set(seconds 120)
endif()
if(NOT TARGETS)
  set(TARGETS onnx tflite caffe2 executable image)
endif()
execute_process(COMMAND ${CMAKE_COMMAND} --preset fuzz -B ${BUILD} WORKING_DIRECTORY ${SOURCE} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${BUILD} --target fuzz_parts COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${BUILD}/bin/fuzz_seeds ${BUILD}/seeds COMMAND_ERROR_IS_FATAL ANY)
set(found)
foreach(target ${TARGETS})
  file(MAKE_DIRECTORY ${BUILD}/corpus/${target} ${BUILD}/findings)
  message(STATUS "fuzzing ${target} for ${seconds} s")
  # 1 GiB for one allocation and 2 GiB in all are far above the budget that the targets give.
  execute_process(
    COMMAND ${BUILD}/bin/fuzz_${target} ${BUILD}/corpus/${target} ${BUILD}/seeds/${target}
      ${SOURCE}/tests/host/fuzz/corpus/${target} -max_total_time=${seconds} -timeout=25 -rss_limit_mb=2048
      -malloc_limit_mb=1024 -max_len=65536 -print_final_stats=1 -artifact_prefix=${BUILD}/findings/${target}-
    RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    list(APPEND found ${target})
  endif()
endforeach()
if(found)
  message(FATAL_ERROR "found something in: ${found}; see ${BUILD}/findings")
endif()
