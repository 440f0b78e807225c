# Runs a script of Vivado without Vivado: every command that Tcl does not know notes its name and words and returns a word.
#
#   tclsh noted_commands.tcl SCRIPT ARGUMENTS...
set script [lindex $argv 0]
set argv [lrange $argv 1 end]
proc unknown {args} {
  puts $args
  return [lindex $args 0]
}
source $script
