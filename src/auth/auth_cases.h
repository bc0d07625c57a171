#pragma once
#include "dns/zone_file.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::auth {

// One question of a file in cases/spf or cases/dmarc:
//   > LINE            a line of the zone; the first one behind a question begins another zone
//   ask WORDS         the question
//     KEY VALUE       more of the question, or what is expected; indented
struct AuthCase {
  std::string where;  // "file:line"
  std::string zone;
  std::string ask;
  std::vector<std::pair<std::string, std::string>> lines;
};

inline std::pair<std::string, std::string> key_and_value(const std::string& line) {
  const size_t begin = line.find_first_not_of(' ');
  const size_t blank = line.find(' ', begin);
  if (blank == std::string::npos) return {line.substr(begin), ""};
  return {line.substr(begin, blank - begin), line.substr(blank + 1)};
}

inline std::vector<AuthCase> cases_of_file(const std::filesystem::path& path) {
  std::vector<AuthCase> cases;
  std::ifstream in(path);
  std::string line, zone;
  bool asked = false;
  for (size_t number = 1; std::getline(in, line); ++number) {
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == '>') {
      if (asked) zone.clear();
      asked = false;
      zone += line.size() > 2 ? line.substr(2) + "\n" : "\n";
    } else if (line.starts_with("ask ")) {
      asked = true;
      cases.push_back({.where = path.filename().string() + ":" + std::to_string(number),
                       .zone = "$TTL 300\n" + zone,
                       .ask = line.substr(4),
                       .lines = {}});
    } else {
      cases.back().lines.push_back(key_and_value(line));
    }
  }
  return cases;
}

inline std::vector<AuthCase> cases_of_folder(const std::string& name) {
  std::vector<std::filesystem::path> files;
  const auto folder = std::filesystem::path(WATCHPOST_SOURCE_DIR) / "cases" / name;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".case") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  std::vector<AuthCase> cases;
  for (const auto& file : files) std::ranges::move(cases_of_file(file), std::back_inserter(cases));
  return cases;
}

inline std::unique_ptr<dns::ZoneFile> zone_of(std::string_view text) {
  auto zone = dns::ZoneFile::parse(text);
  if (!zone) {
    ADD_FAILURE() << zone.error().text();
    return nullptr;
  }
  return std::move(*zone);
}

inline std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(std::move(word));
  return words;
}

}  // namespace watchpost::auth
