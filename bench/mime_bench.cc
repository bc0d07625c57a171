// What taking a message apart costs: the structure alone, and with its parts decoded; beside GMime
// where that was there to build with. Messages of 11 kB as they come (text and HTML, a picture in
// base64), or with MIME_BENCH_FOLDER=DIR all files of that folder.
#include "mime/message.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#ifdef WATCHPOST_GMIME
#include <gmime/gmime.h>
#endif

namespace watchpost::mime {
namespace {

std::string words(std::mt19937& random, size_t bytes, std::string_view line_end) {
  constexpr std::array<std::string_view, 12> kWords{"the",     "order",  "you",  "placed",
                                                    "on",      "Monday", "will", "reach",
                                                    "Münster", "before", "noon", "tomorrow"};
  std::string text;
  size_t line = 0;
  while (text.size() < bytes) {
    const std::string_view word = kWords[random() % kWords.size()];
    text += word;
    line += word.size() + 1;
    text += line < 66 ? " " : line_end;
    line %= 66;
  }
  return text + "\r\n";
}

std::string base64_lines(std::mt19937& random, size_t lines) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (; lines > 0; --lines) {
    for (int i = 0; i < 76; ++i) text += kLetters[random() % 64];
    text += "\r\n";
  }
  return text;
}

std::string header(size_t number) {
  std::string text;
  for (size_t hop = 0; hop < 4; ++hop) {
    text += fmt::format(
        "Received: from relay{0}.example.net (relay{0}.example.net [192.0.2.{0}])\r\n"
        "\tby mx{0}.example.org (Postfix) with ESMTPS id 4F{1:08X}{0}\r\n"
        "\tfor <reader{1}@example.org>; Mon,  5 Jan 2026 10:0{0}:00 +0000 (UTC)\r\n",
        hop, number);
  }
  return text +
         fmt::format(
             "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=shop.example;\r\n"
             "\ts=s2026; t=1767607200; h=from:to:subject:date:message-id:mime-version;\r\n"
             "\tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n"
             "\tb=dGhpcyBpcyBubyBzaWduYXR1cmUgYXQgYWxsLCBidXQgaXQgaXMgYXMgbG9uZyBhcyBvbmU\r\n"
             "\t dGhpcyBpcyBubyBzaWduYXR1cmUgYXQgYWxsLCBidXQgaXQgaXMgYXMgbG9uZyBhcyBvbmU=\r\n"
             "From: \"The Shop\" <news@shop.example>\r\nTo: Reader {0} <reader{0}@example.org>\r\n"
             "Subject: =?utf-8?Q?Your_order_{0}_is_on_its_way?=\r\n"
             "Date: Mon, 5 Jan 2026 10:00:00 +0000\r\nMessage-ID: <{0}.order@shop.example>\r\n"
             "List-Unsubscribe: <https://shop.example/unsubscribe/{0}>\r\nMIME-Version: 1.0\r\n",
             number);
}

std::string made_up(size_t number, std::mt19937& random) {
  const std::string outer = fmt::format("----=_Part_{}_1024", number);
  const std::string inner = fmt::format("----=_Part_{}_2048", number);
  return header(number) +
         fmt::format(
             "Content-Type: multipart/related; boundary=\"{0}\"\r\n\r\n"
             "--{0}\r\nContent-Type: multipart/alternative; boundary=\"{1}\"\r\n\r\n"
             "--{1}\r\nContent-Type: text/plain; charset=utf-8\r\n"
             "Content-Transfer-Encoding: 8bit\r\n\r\n{2}"
             "--{1}\r\nContent-Type: text/html; charset=utf-8\r\n"
             "Content-Transfer-Encoding: quoted-printable\r\n\r\n{3}--{1}--\r\n\r\n"
             "--{0}\r\nContent-Type: image/png; name=\"logo.png\"\r\n"
             "Content-Transfer-Encoding: base64\r\nContent-ID: <logo@shop.example>\r\n"
             "Content-Disposition: inline; filename=\"logo.png\"\r\n\r\n{4}--{0}--\r\n",
             outer, inner, words(random, 1500, "\r\n"), words(random, 3200, "=\r\n"),
             base64_lines(random, 48));
}

std::vector<std::string> folder(const char* path) {
  std::vector<std::string> all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    if (!entry.is_regular_file()) continue;
    std::ostringstream text;
    text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    all.push_back(std::move(text).str());
  }
  return all;
}

const std::vector<std::string>& messages() {
  static const std::vector<std::string> kAll = [] {
    if (const char* const path = std::getenv("MIME_BENCH_FOLDER")) return folder(path);
    std::mt19937 random(1);
    std::vector<std::string> all;
    for (size_t i = 0; i < 1000; ++i) all.push_back(made_up(i, random));
    return all;
  }();
  return kAll;
}

// One pass over all messages for each round; `read` gives how many bytes it went over.
template <class Read>
void over_all(benchmark::State& state, Read read) {
  size_t bytes = 0;
  for (auto _ : state) {
    for (const std::string& message : messages()) {
      bytes += read(message);
    }
  }
  state.SetBytesProcessed(static_cast<int64_t>(bytes));
  state.counters["messages"] = benchmark::Counter(static_cast<double>(messages().size()),
                                                  benchmark::Counter::kIsIterationInvariantRate);
}

void structure(benchmark::State& state) {
  over_all(state, [](const std::string& message) {
    benchmark::DoNotOptimize(Message::read(message).parts().size());
    return message.size();
  });
}
BENCHMARK(structure)->Unit(benchmark::kMillisecond);

void structure_and_decoded(benchmark::State& state) {
  over_all(state, [](const std::string& bytes) {
    const Message message = Message::read(bytes);
    for (const Part& part : message.parts()) {
      if (part.first_child == Part::kNone) {
        benchmark::DoNotOptimize(message.decoded(part).size());
      }
    }
    return bytes.size();
  });
}
BENCHMARK(structure_and_decoded)->Unit(benchmark::kMillisecond);

void headers_alone(benchmark::State& state) {
  over_all(state, [](const std::string& message) {
    Findings findings;
    const Header read = Header::read(message, 0, {}, findings);
    benchmark::DoNotOptimize(read.fields().size());
    return read.size();
  });
}
BENCHMARK(headers_alone)->Unit(benchmark::kMillisecond);

void decode(benchmark::State& state, Encoding encoding, const std::string& packed) {
  for (auto _ : state) benchmark::DoNotOptimize(decoded(packed, encoding, packed.size()).size());
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * packed.size()));
}
void base64(benchmark::State& state) {
  std::mt19937 random(1);
  decode(state, Encoding::base64, base64_lines(random, 10'000));
}
BENCHMARK(base64)->Unit(benchmark::kMillisecond);
void quoted_printable(benchmark::State& state) {
  std::mt19937 random(1);
  decode(state, Encoding::quoted_printable, words(random, 1'000'000, "=\r\n"));
}
BENCHMARK(quoted_printable)->Unit(benchmark::kMillisecond);

// 10 MB each, of what costs most for its size.
void bomb(benchmark::State& state, const std::string& bytes) {
  for (auto _ : state) benchmark::DoNotOptimize(Message::read(bytes).parts().size());
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes.size()));
}
void bomb_of_nesting(benchmark::State& state) {
  std::string bytes;
  for (size_t i = 0; bytes.size() < 10'000'000; ++i) {
    bytes += fmt::format("Content-Type: multipart/mixed; boundary=b{0}\n\n--b{0}\n", i);
  }
  bomb(state, bytes);
}
BENCHMARK(bomb_of_nesting)->Unit(benchmark::kMillisecond);
void bomb_of_parts(benchmark::State& state) {
  std::string bytes = "Content-Type: multipart/digest; boundary=b\n\n";
  while (bytes.size() < 10'000'000) bytes += "--b\n";
  bomb(state, bytes);
}
BENCHMARK(bomb_of_parts)->Unit(benchmark::kMillisecond);
void bomb_of_near_boundaries(benchmark::State& state) {
  std::string bytes, boundary;
  for (size_t i = 0; i < 99; ++i) {
    boundary += '-';
    bytes += fmt::format("Content-Type: multipart/mixed; boundary=\"{0}x\"\n\n--{0}x\n", boundary);
  }
  bytes += "\n";
  while (bytes.size() < 10'000'000) bytes += "--" + boundary.substr(bytes.size() % 90) + "y\n";
  bomb(state, bytes);
}
BENCHMARK(bomb_of_near_boundaries)->Unit(benchmark::kMillisecond);
void bomb_of_blank_lines(benchmark::State& state) {
  bomb(state, "Subject: a\n\n" + std::string(10'000'000, '\n'));
}
BENCHMARK(bomb_of_blank_lines)->Unit(benchmark::kMillisecond);
void bomb_of_fields(benchmark::State& state) {
  std::string bytes;
  while (bytes.size() < 10'000'000) bytes += "a:\n";
  bomb(state, bytes);
}
BENCHMARK(bomb_of_fields)->Unit(benchmark::kMillisecond);

#ifdef WATCHPOST_GMIME
GMimeMessage* gmime_message(const std::string& bytes) {
  GMimeStream* const stream = g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size());
  GMimeParser* const parser = g_mime_parser_new_with_stream(stream);
  GMimeMessage* const message = g_mime_parser_construct_message(parser, nullptr);
  g_object_unref(parser);
  g_object_unref(stream);
  return message;
}

void gmime_structure(benchmark::State& state) {
  g_mime_init();
  over_all(state, [](const std::string& bytes) {
    if (GMimeMessage* const message = gmime_message(bytes)) g_object_unref(message);
    return bytes.size();
  });
}
BENCHMARK(gmime_structure)->Unit(benchmark::kMillisecond);

void gmime_structure_and_decoded(benchmark::State& state) {
  g_mime_init();
  over_all(state, [](const std::string& bytes) {
    GMimeMessage* const message = gmime_message(bytes);
    if (message == nullptr) return bytes.size();
    g_mime_message_foreach(
        message,
        [](GMimeObject*, GMimeObject* part, void*) {
          if (!GMIME_IS_PART(part)) return;
          GMimeDataWrapper* const content = g_mime_part_get_content(GMIME_PART(part));
          if (content == nullptr) return;
          GMimeStream* const out = g_mime_stream_mem_new();
          benchmark::DoNotOptimize(g_mime_data_wrapper_write_to_stream(content, out));
          g_object_unref(out);
        },
        nullptr);
    g_object_unref(message);
    return bytes.size();
  });
}
BENCHMARK(gmime_structure_and_decoded)->Unit(benchmark::kMillisecond);
#endif

}  // namespace
}  // namespace watchpost::mime

BENCHMARK_MAIN();
