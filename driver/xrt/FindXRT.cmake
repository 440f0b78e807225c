# Finds the XRT release whose interface this project knows: 2.13 (Debian 12).
#
#   XRT::coreutil   what host programs link: the native API
#   XRT_GLUE_ARCHIVE, XRT_VERSION
#
# Builds for a board need no archive: they have no simulated card.
#
# The card's shim implements an interface inside XRT that changes with every release, and a shim of another release
# loads and then misbehaves; so any other release is refused.
set(XRT_KNOWN_VERSION 2.13)

find_path(XRT_INCLUDE_DIR xrt/xrt_device.h PATH_SUFFIXES xrt PATHS /usr/include /opt/xilinx/xrt/include)
find_library(XRT_COREUTIL_LIBRARY xrt_coreutil PATHS /opt/xilinx/xrt/lib)
find_library(XRT_UUID_LIBRARY uuid)
find_library(XRT_GLUE_ARCHIVE libxrt_hwemu.a PATHS /opt/xilinx/xrt/lib)
mark_as_advanced(XRT_INCLUDE_DIR XRT_COREUTIL_LIBRARY XRT_UUID_LIBRARY XRT_GLUE_ARCHIVE)

if(XRT_INCLUDE_DIR AND EXISTS ${XRT_INCLUDE_DIR}/version.h)
  file(STRINGS ${XRT_INCLUDE_DIR}/version.h XRT_VERSION_LINE REGEX "define XRT_VERSION_CODE")
  string(REGEX REPLACE ".*XRT_VERSION\\(([0-9]+), *([0-9]+)\\).*" "\\1.\\2" XRT_VERSION "${XRT_VERSION_LINE}")
  if(NOT XRT_VERSION STREQUAL XRT_KNOWN_VERSION)
    message(FATAL_ERROR "XRT ${XRT_VERSION} was found in ${XRT_INCLUDE_DIR}, but the simulated card knows the interface "
      "of XRT ${XRT_KNOWN_VERSION} only. Install libxrt-dev of Debian 12 (2.13), or configure with -DESPALIER_XRT=OFF "
      "to build without XRT.")
  endif()
endif()

include(FindPackageHandleStandardArgs)
set(XRT_NEEDED XRT_COREUTIL_LIBRARY XRT_INCLUDE_DIR XRT_UUID_LIBRARY XRT_VERSION)
if(NOT CMAKE_CROSSCOMPILING)
  list(APPEND XRT_NEEDED XRT_GLUE_ARCHIVE)
endif()
find_package_handle_standard_args(XRT
  REQUIRED_VARS ${XRT_NEEDED}
  VERSION_VAR XRT_VERSION
  REASON_FAILURE_MESSAGE "Install libxrt-dev and uuid-dev, or configure with -DESPALIER_XRT=OFF to build without XRT.")

if(XRT_FOUND AND NOT TARGET XRT::coreutil)
  find_package(Threads REQUIRED)
  add_library(XRT::coreutil UNKNOWN IMPORTED GLOBAL)
  set_target_properties(XRT::coreutil PROPERTIES
    IMPORTED_LOCATION ${XRT_COREUTIL_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${XRT_INCLUDE_DIR}
    INTERFACE_LINK_LIBRARIES "${XRT_UUID_LIBRARY};Threads::Threads")
endif()
