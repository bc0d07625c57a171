#include "investigate/live_reports.h"

#include <chrono>
#include <mutex>
#include <utility>

#include <fmt/format.h>

namespace watchpost::investigate {
namespace {

// Who asks waits for a minute.
constexpr auto kLongestCount = std::chrono::seconds(40);
constexpr auto kLongestWait = std::chrono::seconds(2);

class LiveReports final : public Reports {
 public:
  LiveReports(store::StoreSettings store, const Clock& clock)
      : store_(std::move(store)), clock_(clock) {}

  Result<CampaignReport> campaign(const CampaignQuery& query) override {
    return counted<CampaignReport>([&](store::Reader& reader, const SearchBounds& bounds) {
      return report_campaign(reader, query, clock_.now(), bounds);
    });
  }
  Result<CampaignList> campaigns(const CampaignListQuery& query) override {
    return counted<CampaignList>([&](store::Reader& reader, const SearchBounds& bounds) {
      return list_campaigns(reader, query, bounds);
    });
  }
  Result<FeedbackStatus> feedback(Time since) override {
    return counted<FeedbackStatus>([&](store::Reader& reader, const SearchBounds& bounds) {
      return feedback_status(reader, since, bounds);
    });
  }
  Result<UnreadMail> unread(size_t limit) override {
    const auto reader = store::Reader::open(store_);
    if (!reader) return fail(reader.error());
    auto mails = (*reader)->kept_mail(limit);
    if (!mails) return fail(mails.error());
    const auto removed = (*reader)->removed_kept_mail();
    if (!removed) return fail(removed.error());
    return UnreadMail{std::move(*mails), *removed};
  }
  Result<KeptMail> unread_one(uint64_t number) override {
    const auto reader = store::Reader::open(store_);
    if (!reader) return fail(reader.error());
    auto mail = (*reader)->kept_mail_of(number);
    if (!mail) return fail(mail.error());
    if (*mail) return std::move(**mail);
    return fail(Code::not_found, "no such mail is kept; the oldest go first when there is too much",
                fmt::format("{}", number));
  }

 private:
  // Each count may take much memory and a processor for a while.
  template <class Answer, class Count>
  Result<Answer> counted(const Count& count) {
    const std::unique_lock lock(counting_, kLongestWait);
    if (!lock) return fail(Code::unavailable, "another report is being made; ask again");
    const auto reader = store::Reader::open(store_);
    if (!reader) return fail(reader.error());
    SearchBounds bounds;
    bounds.deadline = std::chrono::steady_clock::now() + kLongestCount;
    return count(**reader, bounds);
  }

  const store::StoreSettings store_;
  const Clock& clock_;
  std::timed_mutex counting_;
};

}  // namespace

std::unique_ptr<Reports> make_live_reports(store::StoreSettings store, const Clock& clock) {
  return std::make_unique<LiveReports>(std::move(store), clock);
}

}  // namespace watchpost::investigate
