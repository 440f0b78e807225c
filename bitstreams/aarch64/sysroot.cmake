# The libraries of Debian for arm64, for the preset aarch64: downloads the packages and unpacks them into a folder. Nothing
# is installed, and the package lists of this machine are not touched.
#
#   cmake -DOUTPUT=build-aarch64/sysroot -P bitstreams/aarch64/sysroot.cmake
cmake_minimum_required(VERSION 3.25)
if(NOT OUTPUT)
  message(FATAL_ERROR "OUTPUT is not set; it must be the folder for the libraries")
endif()
find_program(APT apt-get REQUIRED)
find_program(DPKG dpkg-deb REQUIRED)
# flatbuffers-compiler: the CMake files of the library ask for it; the one that runs is that of this machine.
set(packages libstdc++-12-dev libc6-dev zlib1g-dev libonnx-dev libprotobuf-dev libflatbuffers-dev flatbuffers-compiler
  libeigen3-dev libcli11-dev libspdlog-dev libfmt-dev nlohmann-json3-dev libstb-dev libgtest-dev libgmock-dev)

cmake_path(ABSOLUTE_PATH OUTPUT BASE_DIRECTORY ${CMAKE_SOURCE_DIR} NORMALIZE)
set(stamp ${OUTPUT}/packages.txt)
if(EXISTS ${stamp})
  file(READ ${stamp} have)
  if(have STREQUAL "${packages}")
    message(STATUS "${OUTPUT} is complete")
    return()
  endif()
endif()

# apt with lists, state and archives of its own.
set(state ${OUTPUT}.apt)
file(MAKE_DIRECTORY ${state}/lists/partial ${state}/archives/partial)
file(WRITE ${state}/status "")
set(apt ${APT} -q -y -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o APT::Sandbox::User=root
  -o Acquire::Languages=none -o Debug::NoLocking=1 -o Dir::State=${state} -o Dir::State::lists=${state}/lists
  -o Dir::State::status=${state}/status -o Dir::Cache=${state} -o Dir::Cache::archives=${state}/archives)
foreach(step "update" "install;--no-install-recommends;--download-only;${packages}")
  execute_process(COMMAND ${apt} ${step} RESULT_VARIABLE code OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "the packages for arm64 cannot be downloaded:\n${text}")
  endif()
endforeach()

file(REMOVE_RECURSE ${OUTPUT})
file(MAKE_DIRECTORY ${OUTPUT})
file(GLOB archives ${state}/archives/*.deb)
foreach(archive ${archives})
  execute_process(COMMAND ${DPKG} -x ${archive} ${OUTPUT} COMMAND_ERROR_IS_FATAL ANY)
endforeach()

# Absolute links would lead into this machine.
file(GLOB_RECURSE files LIST_DIRECTORIES true ${OUTPUT}/lib/*.so* ${OUTPUT}/usr/lib/*.so*)
foreach(file ${files})
  if(IS_SYMLINK ${file})
    file(READ_SYMLINK ${file} target)
    if(IS_ABSOLUTE "${target}")
      cmake_path(GET file PARENT_PATH folder)
      file(RELATIVE_PATH target ${folder} ${OUTPUT}${target})
      file(REMOVE ${file})
      file(CREATE_LINK ${target} ${file} SYMBOLIC)
    endif()
  endif()
endforeach()
file(REMOVE_RECURSE ${state})
file(WRITE ${stamp} "${packages}")
list(LENGTH archives count)
message(STATUS "${count} packages in ${OUTPUT}")
