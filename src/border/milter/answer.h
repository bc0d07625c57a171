#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace watchpost::border {

// A change of the message's header. Names and values must hold neither CR nor NUL; a fold is LF and
// a blank. What breaks that is not sent: the session answers as in trouble instead.
struct HeaderChange {
  enum class Kind : uint8_t {
    insert,  // at `place` of the whole header: 0 is above all, 1 below the first field
    append,  // at its end
    remove,  // the `place`th field of that name, from 1
  };
  Kind kind = Kind::insert;
  uint32_t place = 0;
  std::string name;
  std::string value;  // without the blank behind the colon
  bool operator==(const HeaderChange&) const = default;
};

// What a mail server is told.
struct Answer {
  enum class Kind : uint8_t {
    proceed,  // go on; at the end of a message: take it
    reject,
    tempfail,
    discard,  // take it from the client and throw it away
  };
  Kind kind = Kind::proceed;
  // Of a reject or tempfail: "554 5.7.1 text" of one line; empty: the mail server's own words. A
  // text that is no SMTP reply of that kind (554 for a tempfail, control bytes, over 500 bytes) is
  // not sent, the mail server's own takes its place.
  std::string reply;
  // With `proceed` at the end of a message alone, in this order.
  std::vector<HeaderChange> header;
  std::vector<std::string> remove_recipients;  // as Recipient::address has them
  bool operator==(const Answer&) const = default;
};

}  // namespace watchpost::border
