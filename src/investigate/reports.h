#pragma once
#include "base/result.h"
#include "base/time.h"
#include "investigate/campaigns.h"
#include "investigate/feedback_status.h"
#include "model/kept_mail.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace watchpost::investigate {

// Mail that was kept because it was not understood.
struct UnreadMail {
  std::vector<KeptMail> mails;  // newest first, without their bytes
  RemovedKeptMail removed;      // older mail that went for want of room
};

// The part of the desk that counts what is stored: how mailings went, and what became of feedback.
//   Threads: any; calls block while they read. Not for Io threads.
//   Errors:  unavailable while another count has the memory: ask again in a few seconds.
class Reports {
 public:
  virtual ~Reports() = default;

  virtual Result<CampaignReport> campaign(const CampaignQuery& query) = 0;
  virtual Result<CampaignList> campaigns(const CampaignListQuery& query) = 0;
  virtual Result<FeedbackStatus> feedback(Time since) = 0;
  virtual Result<UnreadMail> unread(size_t limit) = 0;
  // One of them with its bytes. Errors: not_found.
  virtual Result<KeptMail> unread_one(uint64_t number) = 0;
};

}  // namespace watchpost::investigate
