#pragma once
#include "quarantine/held.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::investigate {

inline constexpr size_t kMostShownText = 1 << 20;  // bytes, of all texts together
inline constexpr size_t kMostShownLinks = 500;
inline constexpr size_t kLongestShownName = 200;

// One part of a held message.
struct SafePart {
  size_t depth = 0;
  std::string type;    // "text/html"
  std::string name;    // of the file, as text: never a path to write to; empty: none
  uint64_t size = 0;   // decoded
  std::string sha256;  // of the same, hex; empty: of a multipart, or past what is looked at
  bool attached = false;
};

struct SafeText {
  std::string type;
  std::string text;
};

struct SafeLink {
  std::string url;       // cannot be followed: "hxxps://evil[.]example/pay"
  bool fetched = false;  // a program that shows the mail would fetch it: images, frames, styles
};

// A held message for people to look at: nothing in it can be clicked on, run, or fetched, and
// nothing deceives a terminal. All texts are valid UTF-8, escaped as escaped() does it; line ends
// are in `texts` alone.
struct SafeView {
  std::vector<std::string> header;    // the raw lines of the message's own header
  std::vector<SafePart> parts;        // in the order of the message
  std::vector<SafeText> texts;        // what a person would read, links in it made dead
  std::vector<SafeLink> links;        // "[2]" in a text of HTML is links[1]
  std::vector<std::string> findings;  // what is wrong with how it is made
  std::string verdict;                // docs/formats/verdict.md, as it was kept; may be empty
  bool whole = true;                  // nothing was cut
};

// Total; bounded whatever the message is.
SafeView safe_view(const quarantine::HeldContent& content);

// A URL that nothing makes a link of.
std::string defanged(std::string_view url);

}  // namespace watchpost::investigate
