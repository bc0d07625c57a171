#pragma once
#include "base/time.h"
#include "simulate/calendar.h"
#include "simulate/random.h"
#include "simulate/receivers.h"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::simulate {

// IPv4 addresses as numbers.
using Address = uint32_t;
void append_address(std::string& out, Address address);
// Somewhere in the Internet.
Address any_address(Random& random);

enum class CustomerKind : uint8_t {
  office,      // people who write mail
  shop,        // orders to buyers, a newsletter
  newsletter,  // little else
  software,    // what a program has to tell its users
  marketing,   // offers to companies, with lists that are never quite right
};
std::string_view name_of(CustomerKind kind);

struct Login {
  std::string name;  // "anna.meier12@cedarbau17.example"
  Address home = 0;  // where it sends from besides the office; of a service its only address
  bool service = false;
  bool mobile = false;   // also from a telephone network, where addresses change
  uint8_t machines = 1;  // of a service
};

struct Customer {
  std::string domain;
  CustomerKind kind = CustomerKind::office;
  int8_t zone = 0;     // hours east of Greenwich
  uint8_t source = 0;  // which of our sending addresses
  Address office = 0;
  Time from;  // when it begins to send
  std::vector<Login> logins;
};

enum class ChannelKind : uint8_t {
  people,        // one person's mail
  service,       // one message for each thing that happens
  mailing,       // an issue to a list
  stale_client,  // a forgotten device tries an old password
  guessing,      // a stranger tries passwords
  stolen,        // mail of a thief
};

// One way in which mail comes to be sent.
struct Channel {
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

  explicit Channel(uint64_t seed) : random(seed), list(seed) {}

  Random random;
  uint64_t list;  // whose recipients: the same for the same number
  ChannelKind kind = ChannelKind::people;
  uint32_t customer = kNone;
  uint32_t login = 0;
  uint32_t incident = kNone;
  Audience audience;
  Rhythm rhythm = Rhythm::office;
  bool seasonal = false;
  std::string_view campaign;  // beginning of its name; empty: has none
  double per_day = 0;         // messages, of what goes on steadily
  double per_second = 0;      // of an issue, or of a thief
  uint32_t people = 100;      // circle or list
  double fresh = 0.1;         // recipients it never wrote to
  double unknown = 0.005;
  double complaints = 0.0003;  // of what is delivered where complaints are told
  double unsubscribes = 0;
  double spam = 0.0003;     // taken for spam by a receiver
  bool sorted = false;      // goes through its list by the alphabet
  uint32_t every_days = 7;  // between two issues
  uint8_t weekday = 0;
  uint8_t hour = 9;
  uint32_t networks = 1;  // of a thief
  Time until = Time::max();

  // Where it stands.
  bool planned = false;  // its first issue has a time
  uint32_t issue = 0;
  uint32_t left = 0;
  uint32_t size = 0;  // of this issue
  double worse = 1;   // unknown recipients of this issue, as a factor
};

struct PopulationSettings {
  uint32_t customers = 100;
  uint64_t seed = 1;
  Time from;
  Time to;
};

// Customers of heavy-tailed sizes, and how they send. The same for the same settings; customer
// number n does not depend on how many there are.
struct Population {
  explicit Population(const PopulationSettings& settings);

  std::vector<Customer> customers;
  std::vector<Channel> channels;
  std::vector<Address> sources;   // our own sending addresses
  std::vector<Address> guessers;  // who tries passwords
};

}  // namespace watchpost::simulate
