# Packages the kernel: from the files of espalier_board to FOLDER/espalier_<array>.xo. image.cmake calls it.
#
#   vivado -mode batch -source package.tcl -tclargs FOLDER
set folder [file normalize [lindex $argv 0]]
source [file join $folder settings.tcl]
set block_folder [file join $folder block]
set description [file join $block_folder component.xml]

create_project -force package [file join $folder project] -part $part
add_files -norecurse [file join $folder kernel.sv]
# A kernel of Vitis HLS: kernel.sv has its pins and registers, the exported block computes.
if {$exported_block ne ""} {
  set_property ip_repo_paths [file join $folder hls $exported_block solution impl ip] [current_project]
  update_ip_catalog
  create_ip -vendor espalier -library kernel -name $exported_block -module_name esp_machine_core
  generate_target all [get_ips esp_machine_core]
}
set constraint [add_files -fileset constrs_1 -norecurse [file join $folder kernel.xdc]]
set_property USED_IN {synthesis out_of_context} $constraint
set_property top $kernel [current_fileset]
update_compile_order -fileset sources_1

file delete -force $block_folder
ipx::package_project -root_dir $block_folder -vendor $kernel -library kernel -taxonomy /KernelIP -import_files \
  -set_current true
set block [ipx::current_core]
set_property name $kernel $block
set_property version 1.0 $block
set_property sdx_kernel true $block
set_property sdx_kernel_type rtl $block
set_property supported_families {} $block
set_property auto_family_support_level level_2 $block

# Names of pins give the interfaces; all of them belong to the one clock.
foreach port [concat $control_port $masters] {
  if {[ipx::get_bus_interfaces $port -of_objects $block] eq ""} {
    error "the pins of $port do not make an interface"
  }
  ipx::associate_bus_interfaces -busif $port -clock ap_clk $block
}
ipx::associate_bus_interfaces -clock ap_clk -reset ap_rst_n -clear $block
ipx::associate_bus_interfaces -clock ap_clk -reset ap_rst_n $block

# The registers that hosts write through XRT.
set map [ipx::add_memory_map $control_port $block]
set_property slave_memory_map_ref $control_port [ipx::get_bus_interfaces $control_port -of_objects $block]
set registers [ipx::add_address_block registers $map]
set_property range $window_bytes $registers
set_property width 32 $registers
set_property usage register $registers
set control [ipx::add_register CTRL $registers]
set_property address_offset 0x0 $control
set_property size 32 $control
foreach argument $arguments {
  lassign $argument name offset bits master
  set register [ipx::add_register $name $registers]
  set_property address_offset [format 0x%x $offset] $register
  set_property size $bits $register
  if {$master ne ""} {
    set_property value $master [ipx::add_register_parameter ASSOCIATED_BUSIF $register]
  }
}

ipx::create_xgui_files $block
ipx::update_checksums $block
ipx::check_integrity -kernel -xrt $block
ipx::save_core $block
close_project

set output [file join $folder $object]
file delete -force $output
package_xo -xo_path $output -kernel_name $kernel -ip_directory $block_folder \
  -kernel_xml [file join $folder kernel.xml]
puts "$output"
