#pragma once
#include "investigate/reports.h"

#include <functional>
#include <string>
#include <utility>

namespace watchpost::api {

// For tests: the counting part of FakeDesk, with one of everything.
class FakeReports : public investigate::Reports {
 public:
  // Takes note of what is asked; an error where all is broken.
  using Remember = std::function<Result<Done>(std::string)>;
  explicit FakeReports(Remember remember) : remember_(std::move(remember)) {}

  Result<investigate::CampaignReport> campaign(const investigate::CampaignQuery& query) override;
  Result<investigate::CampaignList> campaigns(const investigate::CampaignListQuery& query) override;
  Result<investigate::FeedbackStatus> feedback(Time since) override;
  Result<investigate::UnreadMail> unread(size_t limit) override;
  Result<KeptMail> unread_one(uint64_t number) override;

 private:
  const Remember remember_;
};

}  // namespace watchpost::api
