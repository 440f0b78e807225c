#include "compile/schedule.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

namespace espalier::compile {
namespace {

constexpr int BankCount = static_cast<int>(abi::Banks);
constexpr int GroupLanes = static_cast<int>(abi::LanesPerPort);

int bank_of(const Tap& tap) { return tap.offset % BankCount; }
int cost_of(const Row& row) { return std::max<int>(1, static_cast<int>(row.size())); }

/// The lanes of one read port. Ports are independent of each other, so each group has its own timeline.
class PortScheduler {
 public:
  PortScheduler(std::span<const Row> rows, std::span<const std::vector<int>> lane_rows, std::size_t window)
      : rows_(rows), window_(window) {
    lanes_.resize(lane_rows.size());
    for (std::size_t k = 0; k < lane_rows.size(); ++k) {
      lanes_[k].rows = lane_rows[k];
      for (const int row : lane_rows[k]) {
        lanes_[k].left += cost_of(rows[static_cast<std::size_t>(row)]);
        for (const Tap& tap : rows[static_cast<std::size_t>(row)]) ++demand_[static_cast<std::size_t>(bank_of(tap))];
      }
    }
  }

  /// Entries [slot][lane of the group] until all rows are done.
  std::vector<std::vector<ScheduledEntry>> run() {
    std::vector<std::vector<ScheduledEntry>> slots;
    for (;;) {
      int active = 0;
      for (Lane& lane : lanes_) active += refill(lane) ? 1 : 0;
      if (active == 0) return slots;
      slots.push_back(issue());
    }
  }

 private:
  struct Lane {
    std::vector<int> rows;
    std::size_t next_row = 0;
    bool in_row = false;
    std::size_t next_tap = 0;  // of the current row, first one not in the window
    std::vector<Tap> window;
    const Row* row = nullptr;
    int left = 0;   // slots this lane still needs
    int bank = -1;  // matched in the current slot
  };

  bool refill(Lane& lane) {
    if (!lane.in_row) {
      if (lane.next_row == lane.rows.size()) return false;
      lane.row = &rows_[static_cast<std::size_t>(lane.rows[lane.next_row++])];
      lane.in_row = true;
      lane.next_tap = 0;
    }
    while (lane.window.size() < window_ && lane.next_tap < lane.row->size()) {
      lane.window.push_back((*lane.row)[lane.next_tap++]);
    }
    lane.bank = -1;
    return true;
  }

  std::vector<ScheduledEntry> issue() {
    std::vector<ScheduledEntry> entries(lanes_.size());
    match();
    std::array<int, BankCount> word;
    word.fill(-1);
    for (std::size_t k = 0; k < lanes_.size(); ++k) {
      Lane& lane = lanes_[k];
      if (!lane.in_row || lane.bank < 0) continue;
      const std::size_t pick = choose_word(lane);
      word[static_cast<std::size_t>(lane.bank)] = lane.window[pick].offset;
      entries[k] = take(lane, pick);
    }
    for (std::size_t k = 0; k < lanes_.size(); ++k) {
      Lane& lane = lanes_[k];
      if (!lane.in_row || lane.bank >= 0) continue;
      if (lane.row->empty()) {
        entries[k] = {{0, 0, false, true}, 0};
        lane.in_row = false;
        --lane.left;
        continue;
      }
      for (std::size_t i = 0; i < lane.window.size(); ++i) {
        if (word[static_cast<std::size_t>(bank_of(lane.window[i]))] == lane.window[i].offset) {
          entries[k] = take(lane, i);
          break;
        }
      }
    }
    return entries;
  }

  ScheduledEntry take(Lane& lane, std::size_t index) {
    const Tap tap = lane.window[index];
    lane.window.erase(lane.window.begin() + static_cast<std::ptrdiff_t>(index));
    --lane.left;
    --demand_[static_cast<std::size_t>(bank_of(tap))];
    const bool last = lane.window.empty() && lane.next_tap == lane.row->size();
    if (last) lane.in_row = false;
    return {{tap.weight, tap.offset, true, last, tap.segment}, tap.index};
  }

  /// Among the words of the lane's bank, the one that most lanes without a bank want.
  std::size_t choose_word(const Lane& lane) const {
    std::size_t best = 0;
    int best_count = -1;
    for (std::size_t i = 0; i < lane.window.size(); ++i) {
      if (bank_of(lane.window[i]) != lane.bank) continue;
      int count = 0;
      for (const Lane& other : lanes_) {
        if (!other.in_row || other.bank >= 0) continue;
        for (const Tap& tap : other.window) count += tap.offset == lane.window[i].offset ? 1 : 0;
      }
      if (count > best_count) {
        best_count = count;
        best = i;
      }
    }
    return best;
  }

  /// Matches lanes to banks, those with most work left first, preferring banks with most work left.
  void match() {
    owner_.fill(-1);
    std::iota(bank_order_.begin(), bank_order_.end(), 0);
    std::stable_sort(bank_order_.begin(), bank_order_.end(), [&](int a, int b) {
      return demand_[static_cast<std::size_t>(a)] > demand_[static_cast<std::size_t>(b)];
    });
    std::vector<int> order(lanes_.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
      return lanes_[static_cast<std::size_t>(a)].left > lanes_[static_cast<std::size_t>(b)].left;
    });
    for (std::size_t k = 0; k < lanes_.size(); ++k) {
      wanted_[k] = 0;
      if (!lanes_[k].in_row) continue;
      for (const Tap& tap : lanes_[k].window) wanted_[k] |= 1U << bank_of(tap);
    }
    for (const int k : order) {
      visited_ = 0;
      augment(k);
    }
  }

  bool augment(int k) {
    for (const int bank : bank_order_) {
      const unsigned bit = 1U << bank;
      if ((wanted_[static_cast<std::size_t>(k)] & bit) == 0 || (visited_ & bit) != 0) continue;
      visited_ |= bit;
      int& owner = owner_[static_cast<std::size_t>(bank)];
      if (owner < 0 || augment(owner)) {
        owner = k;
        lanes_[static_cast<std::size_t>(k)].bank = bank;
        return true;
      }
    }
    return false;
  }

  std::span<const Row> rows_;
  std::size_t window_;
  std::vector<Lane> lanes_;
  std::array<int, BankCount> demand_{};  // taps left per bank
  std::array<int, BankCount> owner_{};
  std::array<int, BankCount> bank_order_{};
  std::array<unsigned, GroupLanes> wanted_{};
  unsigned visited_ = 0;
};

/// Bank reads that the lanes of one port need at least: words shared by several lanes may be read once.
int fullest_bank(std::span<const Row> rows, std::span<const std::vector<int>> lane_rows) {
  std::array<std::vector<std::uint16_t>, BankCount> words;
  for (const auto& lane : lane_rows) {
    for (const int row : lane) {
      for (const Tap& tap : rows[static_cast<std::size_t>(row)]) {
        words[static_cast<std::size_t>(bank_of(tap))].push_back(tap.offset);
      }
    }
  }
  std::size_t fullest = 0;
  for (auto& bank : words) {
    std::sort(bank.begin(), bank.end());
    fullest =
        std::max<std::size_t>(fullest, static_cast<std::size_t>(std::unique(bank.begin(), bank.end()) - bank.begin()));
  }
  return static_cast<int>(fullest);
}

Schedule schedule_window(std::span<const Row> rows, const std::vector<std::vector<int>>& lane_rows,
                         std::size_t window) {
  Schedule schedule;
  schedule.lane_rows = lane_rows;
  const std::size_t lanes = lane_rows.size();
  for (std::size_t first = 0; first < lanes; first += GroupLanes) {
    const std::size_t count = std::min<std::size_t>(GroupLanes, lanes - first);
    const auto slots = PortScheduler(rows, std::span(lane_rows).subspan(first, count), window).run();
    if (slots.size() > schedule.slots.size()) schedule.slots.resize(slots.size(), std::vector<ScheduledEntry>(lanes));
    for (std::size_t s = 0; s < slots.size(); ++s) {
      std::copy(slots[s].begin(), slots[s].end(), schedule.slots[s].begin() + static_cast<std::ptrdiff_t>(first));
    }
  }
  return schedule;
}

/// From both ends in turn: if all lanes went from long rows to short ones, most results would come at the end.
std::vector<int> alternated(const std::vector<int>& rows, bool from_front) {
  std::vector<int> result;
  std::size_t first = 0, last = rows.size();
  while (first < last) {
    result.push_back(from_front ? rows[first++] : rows[--last]);
    from_front = !from_front;
  }
  return result;
}

/// Rows on `lanes` lanes by longest processing time, at most twice the mean number; an empty row costs one slot.
/// [lane][j] = index of a row.
std::vector<std::vector<int>> assign_rows(std::span<const Row> rows, int lanes) {
  std::vector<int> order(rows.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return rows[static_cast<std::size_t>(a)].size() > rows[static_cast<std::size_t>(b)].size();
  });
  std::vector<std::vector<int>> lane_rows(static_cast<std::size_t>(lanes));
  // The tables have an entry for every lane and row of the lane with most rows, so their number is limited.
  const std::size_t most = 2 * ((rows.size() + lane_rows.size() - 1) / lane_rows.size());
  std::vector<int> load(static_cast<std::size_t>(lanes), 0);
  for (const int row : order) {
    const auto lane = static_cast<std::size_t>(std::min_element(load.begin(), load.end()) - load.begin());
    lane_rows[lane].push_back(row);
    load[lane] += cost_of(rows[static_cast<std::size_t>(row)]);
    if (lane_rows[lane].size() == most) load[lane] = std::numeric_limits<int>::max();
  }
  for (std::size_t k = 0; k < lane_rows.size(); ++k) lane_rows[k] = alternated(lane_rows[k], k % 2 == 0);
  return lane_rows;
}

/// Slots of the fullest lane of an assignment.
int fullest_lane(std::span<const Row> rows, const std::vector<std::vector<int>>& lane_rows) {
  int fullest = 0;
  for (const auto& lane : lane_rows) {
    int load = 0;
    for (const int row : lane) load += cost_of(rows[static_cast<std::size_t>(row)]);
    fullest = std::max(fullest, load);
  }
  return fullest;
}

}  // namespace

int Schedule::rows_per_lane() const {
  std::size_t most = 0;
  for (const auto& lane : lane_rows) most = std::max(most, lane.size());
  return static_cast<int>(most);
}

Schedule schedule_rows(std::span<const Row> rows, int lanes) {
  const auto lane_rows = assign_rows(rows, lanes);
  int bound = fullest_lane(rows, lane_rows);
  for (std::size_t first = 0; first < lane_rows.size(); first += GroupLanes) {
    const std::size_t count = std::min<std::size_t>(GroupLanes, lane_rows.size() - first);
    bound = std::max(bound, fullest_bank(rows, std::span(lane_rows).subspan(first, count)));
  }
  Schedule best;
  for (const std::size_t window : {std::size_t{4}, std::size_t{16}}) {
    Schedule candidate = schedule_window(rows, lane_rows, window);
    if (best.slots.empty() || candidate.size() < best.size()) best = std::move(candidate);
    if (best.size() == bound) break;
  }
  best.lower_bound = bound;
  return best;
}

}  // namespace espalier::compile
