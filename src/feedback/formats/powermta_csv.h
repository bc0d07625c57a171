#pragma once
#include "base/result.h"
#include "base/settings.h"
#include "feedback/classifier.h"
#include "feedback/unread.h"
#include "model/event.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::feedback {

// In which columns a record says whose mail it is: the first of these that has a value counts.
// Compared without regard to case.
struct PowermtaColumns {
  std::vector<std::string> customer{"header_X-Watchpost-Customer", "header_X-Customer-ID"};
  std::vector<std::string> campaign{"jobId", "header_X-Job", "header_X-Watchpost-Campaign",
                                    "header_X-Campaign-ID"};
  std::vector<std::string> credential{"header_X-Watchpost-Login"};
};
void fields(SettingsVisitor& visit, PowermtaColumns& columns);

// PowerMTA accounting files (CSV) -> events.
//   Use:     one for each file, or for files one after the other; feed lines in order.
//   Threads: none inside.
//   Fails:   never; records that say nothing usable are counted in unread().
//   Source:  PowerMTA 4.0 to 5.5; docs/formats/powermta-csv.md
class PowermtaCsv {
 public:
  // `source_name` goes into Field::source. `longest_line`: lines of that size were cut off.
  PowermtaCsv(const Classifier& classifier, std::string source_name,
              const PowermtaColumns& columns = {}, size_t longest_line = 64 * 1024);
  PowermtaCsv(PowermtaCsv&&) noexcept;
  ~PowermtaCsv();

  // One line without its newline. Adds at most one event, with `line_id` as its id: that of the
  // last line of its record. Does not apply any Mapping.
  void line(std::string_view text, const Hash128& line_id, EventBatch& into);
  // A line that is only looked at for what later lines need: the header and open quotes.
  void pass_over(std::string_view text);
  // The next line is the first one of a file: no record goes on into it.
  void begin_file();
  // Whether a header was seen, without which no record can be read.
  bool knows_columns() const;

  // The header and an open record as bytes, and back.
  std::string save() const;
  Result<Done> restore(std::string_view saved);

  const Unread& unread() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace watchpost::feedback
