#pragma once
#include "simulate/gates.h"
#include "simulate/platform.h"

#include <algorithm>
#include <unordered_set>
#include <utility>
#include <vector>

namespace watchpost::simulate {

// Things with numbers that are given again when they are free.
template <class T>
class Pool {
 public:
  uint32_t add(T thing) {
    if (free_.empty()) {
      things_.push_back(std::move(thing));
      return static_cast<uint32_t>(things_.size() - 1);
    }
    const uint32_t number = free_.back();
    free_.pop_back();
    things_[number] = std::move(thing);
    return number;
  }
  void drop(uint32_t number) { free_.push_back(number); }
  T& operator[](uint32_t number) { return things_[number]; }

 private:
  std::vector<T> things_;
  std::vector<uint32_t> free_;
};

// A message in the queue, or of which something may still be heard.
struct Queued {
  Letter letter;
  uint32_t open = 0;        // recipients that are not done
  uint32_t references = 0;  // by what is still to come
};

// Something that is still to come about one recipient.
struct Coming {
  Happening what = Happening::delivered;  // delivered: the next try, whatever comes of it
  uint32_t queued = 0;
  uint32_t tries = 0;
  Mailbox to;
};

// Receivers that behave otherwise for a while.
struct Trouble {
  IncidentKind kind = IncidentKind::receiver_outage;
  uint32_t incident = 0;
  uint8_t receiver = 0;
  Address source = 0;
  bool all_unknown = false;
  Time from;
  Time until;
};

// How much a receiver has taken from one of our addresses lately.
struct Flow {
  double level = 0;
  Time at;
};

// What is behind Platform: the clock in platform.cc, who sends in sending.cc, what becomes of it in
// delivery.cc, what was ordered in incidents.cc.
struct PlatformState {
  explicit PlatformState(const PlatformSettings& wanted);

  // The clock: what comes next is the least of a heap.
  struct Next {
    Time at;
    uint64_t order;  // of what comes at the same time
    uint32_t number;
    bool is_channel;
    bool operator<(const Next& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };
  void later(Time at, uint32_t number, bool is_channel) {
    if (at >= end) {
      if (!is_channel) give_up(number);
      return;
    }
    heap.push_back({at, ++order, number, is_channel});
    std::push_heap(heap.begin(), heap.end());
  }
  void give_up(uint32_t coming_number);

  // Sending.
  void wake(uint32_t number);
  void steady(uint32_t number);
  void mailing(uint32_t number);
  void stale(uint32_t number);
  void guessing(uint32_t number);
  void stolen(uint32_t number);
  Time next_steady(Channel& channel) const;
  Time next_issue(Channel& channel);
  void begin_issue(Channel& channel);
  Address client_of(Channel& channel);
  Mailbox recipient(Channel& channel, uint32_t position);
  void send(uint32_t number, uint32_t recipients);
  void failed_login(uint32_t number, Address client);
  bool is_refused(const Channel& channel, const Letter& letter, const Mailbox& to);
  void append_campaign(std::string& to, const Letter& letter) const;

  // Delivery.
  void come(uint32_t number);
  void attempt(Coming coming);
  struct Answer {
    Happening what;
    ReplyId reply;
  };
  Answer answer(const Coming& coming, const Letter& letter, Random& random);
  std::optional<Answer> trouble_answer(const Coming& coming, const Letter& letter, Random& random);
  Answer usual_answer(const Coming& coming, const Letter& letter, Random& random);
  bool is_too_fast(uint8_t receiver, uint8_t source);
  void after_delivery(const Coming& coming, const Letter& letter, Random& random);
  void add_coming(Time at, Coming coming);
  void let_go(uint32_t queued_number);
  Occurrence& tell(Happening what, const Letter& letter);

  // Incidents.
  Result<Done> order_incident(const Order& wanted);
  Result<Done> choose_customer(const Order& wanted, IncidentRecord& record, Random& random);
  void add_channel(const Order& wanted, IncidentRecord& record, Random& random);
  void shape_theft(const Order& wanted, Channel& channel, IncidentRecord& record, Random& random);
  void shape_mailing(const Order& wanted, Channel& channel, IncidentRecord& record);
  Result<Done> add_trouble(const Order& wanted, IncidentRecord& record, Random& random);

  const Customer& customer_of(const Channel& channel) const {
    return people.customers[channel.customer];
  }
  IncidentRecord* incident_of(const Channel& channel) {
    return channel.incident == Channel::kNone ? nullptr : &incidents[channel.incident];
  }

  PlatformSettings settings;
  Time end;
  Population people;
  Time now;
  uint64_t order = 0;
  std::vector<Next> heap;
  Pool<Queued> queue;
  Pool<Coming> coming;
  Gates gates;
  std::vector<Trouble> troubles;
  std::vector<Flow> flows;
  std::vector<IncidentRecord> incidents;
  std::unordered_set<Address> hostile;
  std::vector<Occurrence>* out = nullptr;
  std::vector<Mailbox> scratch;
  std::string campaign;  // scratch as well
};

}  // namespace watchpost::simulate
