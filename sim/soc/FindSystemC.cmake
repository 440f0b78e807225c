# Finds SystemC 2.3 with TLM-2.0 as Debian builds it.
#
#   SystemC::systemc   headers and library
#
# The library is compiled as C++17 and refuses programs of another standard at link time, although its headers are the
# same for C++20; SC_CPLUSPLUS tells them the standard of the library.
find_path(SYSTEMC_INCLUDE_DIR systemc)
find_path(SYSTEMC_TLM_INCLUDE_DIR tlm)
find_library(SYSTEMC_LIBRARY systemc)
mark_as_advanced(SYSTEMC_INCLUDE_DIR SYSTEMC_TLM_INCLUDE_DIR SYSTEMC_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(SystemC
  REQUIRED_VARS SYSTEMC_LIBRARY SYSTEMC_INCLUDE_DIR SYSTEMC_TLM_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "Install libsystemc-dev, or configure with -DESPALIER_SYSTEMC=OFF to build without the platform.")

if(SystemC_FOUND AND NOT TARGET SystemC::systemc)
  add_library(SystemC::systemc UNKNOWN IMPORTED GLOBAL)
  set_target_properties(SystemC::systemc PROPERTIES
    IMPORTED_LOCATION ${SYSTEMC_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES "${SYSTEMC_INCLUDE_DIR};${SYSTEMC_TLM_INCLUDE_DIR}"
    INTERFACE_COMPILE_DEFINITIONS SC_CPLUSPLUS=201703L)
endif()
