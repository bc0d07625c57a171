#include "ingest/feedback_reader.h"
#include "ingest/mail_counts.h"
#include "ingest/mail_queue.h"
#include "ingest/reporters.h"
#include "ingest/sources/kinds.h"
#include "net/smtp_server.h"

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace watchpost::ingest {
namespace {

constexpr int kReaders = 2;  // threads that take mail apart
constexpr auto kSweep = std::chrono::milliseconds(250);

struct MailIntakeSettings final : SourceKind::Settings {
  net::SmtpServerSettings server;
  void describe(SettingsVisitor& visit) override { fields(visit, server); }
  std::vector<std::string> listens() const override { return server.listen; }
};

feedback::MailEnvelope envelope_of(const net::ReceivedMail& mail) {
  feedback::MailEnvelope envelope{.sender = mail.mail_from};
  for (const net::MailRecipient& one : mail.recipients) {
    envelope.recipients.push_back(one.address);
  }
  return envelope;
}

// Feedback by LMTP or SMTP: each message is answered when what came of it is on disk.
class MailIntake final : public Source {
 public:
  MailIntake(std::string name, net::SmtpServerSettings settings, const SourceContext& context)
      : name_(std::move(name)), settings_(std::move(settings)), context_(context) {}

  Result<Done> run(EventSink& sink, std::string_view /*position*/, std::stop_token stop) override {
    MailQueue queue(std::chrono::duration_cast<MailQueue::Ticks::duration>(settings_.answer_time));
    net::Io io;
    auto server = net::SmtpServer::open(
        io, settings_,
        [&queue](net::ReceivedMail mail, MailQueue::Answer answer) {
          queue.put(std::move(mail), std::move(answer));
        },
        *context_.metrics);
    if (!server) return fail(server.error());
    listen_by(server->get());
    counts_.tell(fmt::format("listening at {}", fmt::join(settings_.listen, ", ")));
    io.start();
    std::vector<std::jthread> readers;
    for (int i = 0; i < kReaders; ++i) {
      readers.emplace_back([&] { read_all(queue, sink, stop); });
    }
    while (!stop.stop_requested()) {
      std::this_thread::sleep_for(kSweep);
      queue.sweep();
    }
    // Whoever still waits is told to come again: what they brought may be on disk, and then counts
    // once all the same.
    queue.close();
    readers.clear();
    listen_by(nullptr);
    server->reset();
    io.stop();
    return Done{};
  }

  SourceStatus status() const override { return counts_.status(); }

  // Where it does not listen now it reads them when it does.
  Result<std::function<void()>> read_files_anew() override {
    const std::lock_guard lock(mutex_);
    if (server_ == nullptr) return [] {};
    return server_->read_identity_anew();
  }

 private:
  void listen_by(const net::SmtpServer* server) {
    const std::lock_guard lock(mutex_);
    server_ = server;
  }

  void read_all(MailQueue& queue, EventSink& sink, const std::stop_token& stop) {
    while (auto taken = queue.take()) {
      if (!taken->checked) {
        check(queue, std::move(*taken));
        continue;
      }
      Arrival arrival = context_.feedback->read({.bytes = taken->mail.bytes,
                                                 .envelope = envelope_of(taken->mail),
                                                 .source = name_,
                                                 .at = context_.clock.now(),
                                                 .proven_reporter = std::move(taken->reporter)});
      arrival.source = name_;
      counts_.note(arrival, taken->mail.mail_from);
      arrival.settled = queue.settling(std::move(taken->answer));
      if (!sink.deliver_unless_stopped(std::move(arrival), stop)) return;
    }
  }

  // Who signed it is asked of DNS, which must not hold up other mail: it comes back to the queue.
  void check(MailQueue& queue, MailQueue::Taken taken) {
    const auto mail = std::make_shared<MailQueue::Taken>(std::move(taken));
    context_.reporters->check(mail->mail.bytes, [mail, back = queue.returning()](auto reporter) {
      mail->reporter = std::move(reporter);
      mail->checked = true;
      back(std::move(*mail));
    });
  }

  const std::string name_;
  const net::SmtpServerSettings settings_;
  const SourceContext context_;
  MailCounts counts_;
  std::mutex mutex_;
  const net::SmtpServer* server_ = nullptr;  // while it listens; under mutex_
};

}  // namespace

extern const SourceKind kMailIntakeSource{
    .name = "feedback_mail",
    .summary = "bounces, complaints and unsubscribe requests handed in by LMTP or SMTP",
    .hostile = true,
    .settings = [] -> std::unique_ptr<SourceKind::Settings> {
      return std::make_unique<MailIntakeSettings>();
    },
    .make = [](std::string name, const SourceKind::Settings& settings,
               const SourceContext& context) -> Result<std::unique_ptr<Source>> {
      const auto& given = dynamic_cast<const MailIntakeSettings&>(settings);
      if (const auto checked = given.server.check(); !checked) return fail(checked.error());
      return std::make_unique<MailIntake>(std::move(name), given.server, context);
    },
    .reader = nullptr,
};

}  // namespace watchpost::ingest
