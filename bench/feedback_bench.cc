// What judging a reply, reading and writing an event, and mapping cost, each by itself.
#include "feedback/classifier.h"
#include "feedback/formats/event_json.h"
#include "feedback/mapping.h"

#include <array>
#include <string>
#include <string_view>

#include <benchmark/benchmark.h>

namespace watchpost::feedback {
namespace {

struct Sample {
  uint16_t code;
  std::string_view status;
  std::string_view text;
};
constexpr std::array<Sample, 8> kReplies{{
    {550, "5.1.1",
     "host mx.example.net[192.0.2.7] said: 550 5.1.1 <b.someone@example.net>: Recipient address "
     "rejected: User unknown in virtual mailbox table (in reply to RCPT TO command)"},
    {550, "5.1.1",
     "host gmail-smtp-in.l.google.com[192.0.2.26] said: 550-5.1.1 The email account that you tried "
     "to reach does not exist. Please try 550-5.1.1 double-checking the recipient's email address "
     "for typos or 550-5.1.1 unnecessary spaces. For more information, go to 550 5.1.1 "
     "https://support.google.com/mail/?p=NoSuchUser a1-2002si1b.3 - gsmtp (in reply to RCPT TO "
     "command)"},
    {0, "4.4.1", "connect to mx.example.net[192.0.2.7]:25: Connection timed out"},
    {450, "4.2.0",
     "host mx.example.net[192.0.2.7] said: 450 4.2.0 <b@example.net>: Recipient address rejected: "
     "Greylisted (in reply to RCPT TO command)"},
    {421, "4.7.0",
     "host mta6.am0.yahoodns.net[192.0.2.8] refused to talk to me: 421 4.7.0 [TSS04] Messages from "
     "192.0.2.9 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1"},
    {554, "5.7.1",
     "host mx.example.net[192.0.2.7] said: 554 5.7.1 Service unavailable; Client host [192.0.2.9] "
     "blocked using zen.spamhaus.org (in reply to RCPT TO command)"},
    {552, "5.2.2", "host mx.example.net[192.0.2.7] said: 552 5.2.2 <b@example.net> Quota exceeded"},
    {550, "5.0.0",
     "host mx.example.net[192.0.2.7] said: 550 nothing that anybody knows (in reply to RCPT TO "
     "command)"},
}};

void classify(benchmark::State& state) {
  const Classifier& shipped = Classifier::shipped();
  size_t i = 0;
  for (auto step : state) {
    const Sample& sample = kReplies[i++ % kReplies.size()];
    benchmark::DoNotOptimize(shipped.classify({sample.code, sample.status, sample.text}));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(classify);

constexpr std::string_view kDelivered =
    R"({"v":1,"id":"q7-123456","at":"2026-11-24T02:45:21.512Z","kind":"delivered",)"
    R"("sender":"bounce-autumn-7@shop.example","recipient":"anna@gmail.com","credential":"u@shop",)"
    R"("source_ip":"192.0.2.9","reply_code":250,"status":"2.0.0","reply":"250 2.0.0 OK","delay":1.25,)"
    R"("size":48211})";

void read_event(benchmark::State& state) {
  EventJsonReader reader(Classifier::shipped(), "bench");
  EventBatch batch;
  for (auto step : state) {
    if (!reader.read(kDelivered, Hash128{1, 2}, batch)) state.SkipWithError("refused");
    if (batch.size() >= 1000) batch.clear();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(read_event);

void write_event(benchmark::State& state) {
  EventJsonReader reader(Classifier::shipped(), "bench");
  EventBatch batch;
  if (!reader.read(kDelivered, Hash128{1, 2}, batch)) state.SkipWithError("refused");
  for (auto step : state) benchmark::DoNotOptimize(to_json(batch.events().front()));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(write_event);

// With 0, 1 and 2 rules that have a pattern.
void map_event(benchmark::State& state) {
  const std::vector<MapSettings> all{{"customer", "credential", "^[^@]+@(.+)$", ""},
                                     {"campaign", "sender", "^bounce-([a-z]+)-[0-9]+@", ""}};
  const auto mapping = Mapping::from({all.begin(), all.begin() + state.range(0)});
  EventBatch batch;
  Event given;
  given[Field::sender] = "bounce-autumn-7@shop.example";
  given[Field::recipient] = "anna@gmail.com";
  given[Field::credential] = "u@shop";
  for (auto step : state) {
    Event event = given;
    mapping->apply(event, batch);
    benchmark::DoNotOptimize(event);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(map_event)->DenseRange(0, 2);

}  // namespace
}  // namespace watchpost::feedback

BENCHMARK_MAIN();
