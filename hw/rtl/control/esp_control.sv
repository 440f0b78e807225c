// Runs a command list: start, fetch, dispatch to the units, marks, completion, errors and time-out.
//
// Idle -> Clear (arguments are checked, AXI falls quiet) -> Run -> Idle; an error leads from Run to Halt, where AXI
// falls quiet, and then to Idle. The units are in reset outside Run and Halt.
`include "esp_assert.svh"

module esp_control #(
    parameter int unsigned Lanes     = 16,
    parameter int unsigned Pixels    = 16,
    parameter int unsigned LineDepth = 4096,
    parameter int unsigned Coded     = 1
) (
    input  logic            clk_i,
    input  logic            rst_ni,
    // Registers
    input  logic            start_i,
    input  logic [18*32-1:0] arguments_i,
    input  logic [31:0]     timeout_i,
    output logic            idle_o,
    output logic            done_o,          // the last cycle of a run
    output logic [3*32-1:0] result_o,
    // State of the units
    output logic            run_no,          // low: units in reset
    output logic            halt_o,
    output logic            busy_o,          // counts as a cycle of the run
    input  logic            quiet_i,         // all AXI masters
    input  logic            progress_i,
    input  logic [31:0]     cycle_i,         // cycles before this one
    // Command fetch
    output logic            fetch_request_o,
    input  logic            fetch_ready_i,
    input  logic            fetch_valid_i,
    input  logic [511:0]    fetch_command_i,
    output logic            fetch_pop_o,
    // Units: load, weight, compute, store
    output logic [3:0]      valid_o,
    output logic [3:0]      ready_o,
    output logic [4*512-1:0] command_o,
    output logic [4*32-1:0] position_o,      // of these commands in the list
    input  logic [3:0]      pop_i,
    input  logic [4*32-1:0] unit_done_i,
    output logic            store_pending_o,
    input  logic            results_pending_i,
    input  logic            queues_empty_i,
    // Marks
    output logic            mark_o,
    output logic [9:0]      mark_index_o,
    output logic [31:0]     mark_cycle_o,
    // Faults of fetch, load, weight, store: window and response, with detail
    input  logic [3:0]      window_error_i,
    input  logic [4*32-1:0] window_offset_i,
    input  logic [3:0]      response_error_i,
    input  logic [4*2-1:0]  response_i,
    input  logic [4*32-1:0] response_position_i
);
  typedef enum logic [1:0] {StIdle, StClear, StRun, StHalt} state_e;

  logic [1:0]  state_q;
  logic        fetch_requested_q;
  logic [31:0] error_q, error_position_q, error_detail_q, watchdog_q, dispatched_q, count;
  logic [31:0] sent_q[5];
  logic [31:0] marked_q;

  assign count           = arguments_i[17*32+:32];
  assign idle_o          = state_q == 2'(StIdle);
  assign result_o        = {error_detail_q, error_position_q, error_q};
  assign run_no          = rst_ni && (state_q == 2'(StRun) || state_q == 2'(StHalt));
  assign halt_o          = state_q == 2'(StHalt);
  assign busy_o          = state_q != 2'(StIdle);
  assign fetch_request_o = state_q == 2'(StRun) && !fetch_requested_q;

  // ---- Dispatch: one command per cycle, in order ----
  logic [4:0]  unit, full;
  logic [7:0]  check_error;
  logic [31:0] check_detail;
  logic        dispatch;
  logic [4:0]  push;

  esp_command_check #(
      .Lanes(Lanes),
      .Pixels(Pixels),
      .LineDepth(LineDepth),
      .Coded(Coded)
  ) u_check (
      .command_i(fetch_command_i),
      .unit_o(unit),
      .error_o(check_error),
      .detail_o(check_detail)
  );

  assign dispatch    = state_q == 2'(StRun) && fetch_valid_i && check_error == 8'(esp_abi_pkg::ErrorNone) &&
                       (unit & full) == '0;
  assign fetch_pop_o = dispatch;
  assign push        = dispatch ? unit : '0;

  logic [31:0]  position[5], open_position[5];
  logic [4:0]   valid, ready, pop, open;
  logic [5*32-1:0] done;
  logic [511:0] mark_command;

  assign valid_o = valid[3:0];
  assign ready_o = ready[3:0];
  assign pop     = {mark_o, pop_i};
  assign done    = {marked_q, unit_done_i};

  for (genvar u = 0; u < 5; u++) begin : gen_queue
    logic [511:0] command;
    logic [31:0]  head;
    esp_unit_queue #(
        .Unit(u)
    ) u_queue (
        .clk_i,
        .rst_ni(run_no),
        .push_i(push[u]),
        .command_i(fetch_command_i),
        .position_i(dispatched_q),
        .full_o(full[u]),
        .done_load_i(unit_done_i[0+:32]),
        .done_weight_i(unit_done_i[32+:32]),
        .done_compute_i(unit_done_i[64+:32]),
        .done_store_i(unit_done_i[96+:32]),
        .valid_o(valid[u]),
        .ready_o(ready[u]),
        .command_o(command),
        .head_position_o(head),
        .pop_i(pop[u]),
        .position_o(position[u]),
        .done_i(done[u*32+:32]),
        .open_o(open[u]),
        .open_position_o(open_position[u])
    );
    if (u < 4) begin : gen_unit
      assign command_o[u*512+:512] = command;
      assign position_o[u*32+:32] = head;
    end else begin : gen_mark
      assign mark_command = command;
    end
  end

  assign mark_o          = ready[4] && state_q == 2'(StRun);
  assign mark_index_o    = mark_command[esp_abi_pkg::CmdLayerLsb+:10];
  assign mark_cycle_o    = cycle_i + 32'd1;
  assign store_pending_o = sent_q[3] != unit_done_i[96+:32];

  // ---- Completion and faults ----
  always_comb begin
    case (state_q)
      2'(StIdle):  done_o = 1'b0;
      2'(StClear): done_o = argument_bad || (!quiet_i && timed_out);
      2'(StRun):   done_o = !fault && finished;
      default:     done_o = quiet_i || timed_out;
    endcase
  end

  logic        finished, timed_out, argument_bad, fault;
  logic [31:0] argument_detail, fault_code, fault_position, fault_detail;

  assign finished = dispatched_q == count && sent_q[0] == unit_done_i[0+:32] && sent_q[1] == unit_done_i[32+:32] &&
                    sent_q[2] == unit_done_i[64+:32] && sent_q[3] == unit_done_i[96+:32] && sent_q[4] == marked_q &&
                    !results_pending_i && queues_empty_i;
  assign timed_out = timeout_i != '0 && watchdog_q >= timeout_i;

  // Addresses are 4 KiB aligned, sizes whole beats, and there is a command.
  always_comb begin
    argument_bad    = 1'b0;
    argument_detail = '0;
    for (int w = 0; w < 4; w++) begin
      if (!argument_bad && arguments_i[(4*w)*32+:12] != '0) begin
        argument_bad    = 1'b1;
        argument_detail = esp_abi_pkg::RegProgramAddress + 16 * w;
      end
      if (!argument_bad && arguments_i[(4*w+2)*32+:6] != '0) begin
        argument_bad    = 1'b1;
        argument_detail = esp_abi_pkg::RegProgramBytes + 16 * w;
      end
    end
    if (!argument_bad && count == '0) begin
      argument_bad    = 1'b1;
      argument_detail = esp_abi_pkg::RegCommandCount;
    end
  end

  logic [31:0] fault_source_position[4];
  assign fault_source_position[0] = dispatched_q;
  assign fault_source_position[1] = position[0];
  assign fault_source_position[2] = position[1];
  assign fault_source_position[3] = position[3];

  // The first fault of a run counts; within a cycle: command, windows, responses, time-out.
  always_comb begin
    fault          = 1'b0;
    fault_code     = '0;
    fault_position = '0;
    fault_detail   = '0;
    if (fetch_valid_i && check_error != 8'(esp_abi_pkg::ErrorNone)) begin
      fault          = 1'b1;
      fault_code     = 32'(check_error);
      fault_position = dispatched_q;
      fault_detail   = check_detail;
    end
    for (int i = 0; i < 4; i++) begin
      if (!fault && window_error_i[i]) begin
        fault          = 1'b1;
        fault_code     = esp_abi_pkg::ErrorWindow;
        fault_position = fault_source_position[i];
        fault_detail   = window_offset_i[i*32+:32];
      end
    end
    for (int i = 0; i < 4; i++) begin
      if (!fault && response_error_i[i]) begin
        fault          = 1'b1;
        fault_code     = i == 3 ? esp_abi_pkg::ErrorWriteResponse : esp_abi_pkg::ErrorReadResponse;
        fault_position = i == 0 ? dispatched_q : response_position_i[i*32+:32];
        fault_detail   = 32'(response_i[i*2+:2]);
      end
    end
    if (!fault && timed_out) begin
      fault          = 1'b1;
      fault_code     = esp_abi_pkg::ErrorTimeout;
      // The oldest command that is not completed; none: the one to be fetched.
      fault_position = dispatched_q;
      for (int u = 0; u < 5; u++) begin
        if (open[u] && open_position[u] < fault_position) fault_position = open_position[u];
      end
      fault_detail   = timeout_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q          <= 2'(StIdle);
      error_q          <= '0;
      error_position_q <= '0;
      error_detail_q   <= '0;
    end else begin
      case (state_q)
        2'(StIdle): begin
          if (start_i) begin
            state_q          <= 2'(StClear);
            error_q          <= '0;
            error_position_q <= '0;
            error_detail_q   <= '0;
          end
        end
        2'(StClear): begin
          if (argument_bad) begin
            state_q        <= 2'(StIdle);
            error_q        <= esp_abi_pkg::ErrorArgument;
            error_detail_q <= argument_detail;
          end else if (quiet_i) begin
            state_q <= 2'(StRun);
          end else if (timed_out) begin
            state_q        <= 2'(StIdle);
            error_q        <= esp_abi_pkg::ErrorTimeout;
            error_detail_q <= timeout_i;
          end
        end
        2'(StRun): begin
          if (fault) begin
            state_q          <= 2'(StHalt);
            error_q          <= fault_code;
            error_position_q <= fault_position;
            error_detail_q   <= fault_detail;
          end else if (finished) begin
            state_q <= 2'(StIdle);
          end
        end
        default: begin
          if (quiet_i || timed_out) begin
            state_q <= 2'(StIdle);
          end
        end
      endcase
    end

    if (!run_no) begin
      fetch_requested_q <= 1'b0;
      dispatched_q      <= '0;
      marked_q          <= '0;
      for (int u = 0; u < 5; u++) sent_q[u] <= '0;
    end else begin
      if (fetch_request_o && fetch_ready_i) fetch_requested_q <= 1'b1;
      if (dispatch) dispatched_q <= dispatched_q + 32'd1;
      if (mark_o) marked_q <= marked_q + 32'd1;
      for (int u = 0; u < 5; u++) if (push[u]) sent_q[u] <= sent_q[u] + 32'd1;
    end
    if (!rst_ni || state_q == 2'(StIdle) || progress_i || (state_q == 2'(StRun) && fault)) watchdog_q <= '0;
    else watchdog_q <= watchdog_q + 32'd1;
  end

  // Assertions
  `ESP_COVER(HaltsOnFault, state_q == 2'(StHalt))
  `ESP_COVER(DispatchWaits, fetch_valid_i && (unit & full) != '0)
endmodule
