#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::border {

// The hosts that texts link to, each once, in the order of the texts: domains as mail_domain() has
// them, IPv6 addresses without their brackets. Hosts without a dot are left out.
//   Owns:  copies; at most kMost hosts, of the first kMostLinks links. Those to one host in a row
//          are one.
//   Rules: total; the work is bounded by the size of what is read.
class LinkHosts {
 public:
  static constexpr size_t kMost = 20;
  static constexpr size_t kMostLinks = 2'000;

  // What mail programs make links of: "https://host/...", "www.host".
  void read_text(std::string_view text);
  // Links and forms. Addresses that stand in the text are links to most readers as well; images,
  // fonts and what stands in comments and scripts are not.
  void read_html(std::string_view html);

  const std::vector<std::string>& all() const { return hosts_; }

 private:
  void take_url(std::string_view value);  // of an attribute
  void take_authority(std::string_view authority);
  void add(std::string host);
  bool full() const { return hosts_.size() == kMost || links_ == kMostLinks; }

  std::vector<std::string> hosts_;
  std::string last_;  // a page links to one host most of the time
  size_t links_ = 0;  // without those
};

}  // namespace watchpost::border
