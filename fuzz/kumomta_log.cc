// A pushed body, or the records of a log, through the reader: what is refused adds nothing, every
// text of every event lies in the batch's or static memory (ASan would say), and the same record
// gives the same events again, whatever was read in between.
#include "feedback/formats/kumomta_log.h"

#include "feedback/classifier.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace watchpost;

void require(bool condition) {
  if (!condition) std::abort();
}

feedback::KumomtaLog reader() {
  feedback::KumomtaNames names;
  names.customer = {"header:x-customer", "tenant", "record:egress_pool"};
  auto made = feedback::KumomtaLog::with(feedback::Classifier::shipped(), "fuzz", names);
  require(made.has_value());
  return std::move(*made);
}

// The events of one record, read from a copy of exact size that is gone afterwards.
size_t read(feedback::KumomtaLog& log, std::string_view record, EventBatch& batch) {
  const size_t before = batch.size();
  const std::string copy(record);
  const auto done = log.record(copy, {1, 2}, batch);
  require(done.has_value() || batch.size() == before);
  return batch.size() - before;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  feedback::KumomtaLog log = reader();
  std::vector<std::string> records;
  size_t bytes = 0;
  feedback::each_record(body, [&](size_t number, std::string_view record) {
    require(number == records.size() + 1);
    bytes += record.size();
    records.emplace_back(record);
  });
  require(bytes <= body.size());
  EventBatch batch;
  read(log, body, batch);
  for (const std::string& record : records) read(log, record, batch);
  const size_t first = batch.size();
  for (const std::string& record : records) {
    const size_t begin = batch.size();
    const size_t made = read(log, record, batch);
    feedback::KumomtaLog fresh = reader();
    require(read(fresh, record, batch) == made);
    for (size_t i = begin; i < begin + made; ++i) {
      const Event& used = batch.events()[i];
      const Event& anew = batch.events()[i + made];
      require(used.text == anew.text && used.id == anew.id && used.kind == anew.kind);
      require(used.at == anew.at && used.size == anew.size && used.delay == anew.delay);
      require(used.reply_code == anew.reply_code && used.recipients == anew.recipients);
      require(used.self_inflicted == anew.self_inflicted);
    }
  }
  require(batch.size() >= first);
  return 0;
}
