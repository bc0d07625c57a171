#pragma once
#include "feedback/formats/powermta_csv.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace watchpost::feedback {

// The columns that are read; all others are left alone.
enum class PowermtaColumn : uint8_t {
  type,
  time_logged,
  time_queued,
  seconds_queued,
  orig,
  rcpt,
  jmr_rcpt,
  orcpt,
  dsn_action,
  dsn_status,
  dsn_diag,
  dsn_mta,
  bounce_cat,
  src_mta,
  rcv_source_ip,
  dlv_source_ip,
  dlv_destination_ip,
  dlv_size,
  vmta,
  queue,
  message_id,
  feedback_type,
};
inline constexpr size_t kPowermtaColumns = 22;

// Where the columns of a file stand, by the names of its header.
struct PowermtaLayout {
  static constexpr size_t kNowhere = SIZE_MAX;
  static constexpr size_t kMostColumns = 1000;

  // Whether the first value of a record is that of a header: `type`, which is no type of record.
  static bool is_header(std::string_view first);
  // Nothing where a file with these columns cannot be read.
  static std::optional<PowermtaLayout> from(std::span<const std::string_view> names,
                                            const PowermtaColumns& wanted);

  std::array<size_t, kPowermtaColumns> at;
  size_t count = 0;
  // Of the configured columns, those that the file has, in the order of the configuration.
  std::vector<size_t> customer;
  std::vector<size_t> campaign;
  std::vector<size_t> credential;
};

// One record with its columns.
//   Use:     on the stack; `fields` are at least as many as the layout has columns.
//   Owns:    nothing.
class PowermtaRow {
 public:
  PowermtaRow(const PowermtaLayout& layout, std::span<const std::string_view> fields)
      : layout_(layout), fields_(fields) {}
  // Empty where the file has no such column.
  std::string_view operator[](PowermtaColumn column) const {
    return has(column) ? fields_[layout_.at[static_cast<size_t>(column)]] : std::string_view();
  }
  bool has(PowermtaColumn column) const {
    return layout_.at[static_cast<size_t>(column)] != PowermtaLayout::kNowhere;
  }
  std::string_view first_of(const std::vector<size_t>& places) const {
    for (const size_t at : places) {
      if (!fields_[at].empty()) return fields_[at];
    }
    return {};
  }
  const PowermtaLayout& layout() const { return layout_; }

 private:
  const PowermtaLayout& layout_;
  std::span<const std::string_view> fields_;
};

}  // namespace watchpost::feedback
