// Lines (the input split at newlines) through the reader: a restart at any line gives the same
// events, and all texts live in the batch. The input as saved state is refused or taken whole.
#include "feedback/formats/powermta_csv.h"

#include "feedback/classifier.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace {

using namespace watchpost;

void require(bool condition) {
  if (!condition) std::abort();
}

feedback::PowermtaCsv fresh() { return {feedback::Classifier::shipped(), "fuzz", {}, 4096}; }

void read(std::string_view text) {
  feedback::PowermtaCsv csv = fresh();
  std::optional<feedback::PowermtaCsv> restarted(fresh());
  EventBatch batch;
  EventBatch again;
  for (uint64_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    {
      // A copy of exact size, gone before the batch is looked at: views into it would be seen.
      const std::string line(text.substr(0, end));
      csv.line(line, {1, number}, batch);
      restarted->line(line, {1, number}, again);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string saved = csv.save();
    feedback::PowermtaCsv next = fresh();
    require(next.restore(saved).has_value());
    require(next.save() == saved);
    restarted.emplace(std::move(next));
    require(batch.size() <= 1 && batch.size() == again.size());
    for (size_t i = 0; i < batch.size(); ++i) {
      require(batch.events()[i].id == again.events()[i].id);
      require(batch.events()[i].at == again.events()[i].at);
      require(batch.events()[i].text == again.events()[i].text);
      for (const std::string_view each : batch.events()[i].text) require(each.size() <= 2048);
    }
    batch.clear();
    again.clear();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read(text);
  // The same behind a header, which few inputs would find by themselves.
  read("type,timeLogged,rcpt,dsnStatus,dsnDiag,bounceCat,jobId\n" + std::string(text));
  feedback::PowermtaCsv csv = fresh();
  if (csv.restore(text)) {
    feedback::PowermtaCsv next = fresh();
    require(next.restore(csv.save()).has_value());
    require(next.save() == csv.save());
  }
  return 0;
}
