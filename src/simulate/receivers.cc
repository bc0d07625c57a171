#include "simulate/receivers.h"

#include <array>

namespace watchpost::simulate {
namespace {

// In the order of kReplies.
enum Said : ReplyId {
  kTakenGmail,
  kTaken,
  kTakenMicrosoft,
  kTakenExim,
  kUnknownGmail,
  kUnknownMicrosoft,
  kUnknownYahoo,
  kUnknownGmx,
  kUnknownPostfix,
  kUnknownExim,
  kUnknownOrange,
  kUnknownLocal,
  kUnknown365,
  kFullGmail,
  kFullMicrosoft,
  kFullYahoo,
  kFullPostfix,
  kFullExim,
  kLimitGmail,
  kLimitMicrosoft,
  kLimitYahoo,
  kLimitGmx,
  kLimitOrange,
  kLimitPostfix,
  kBlockGmail,
  kBlockMicrosoft,
  kBlockYahoo,
  kBlockGmx,
  kBlockList,
  kContentGmail,
  kContentMicrosoft,
  kContentYahoo,
  kContentGmx,
  kContentPostfix,
  kDownSystem,
  kDownBusy,
  kGreylisted,
  kTimedOut,
  kNoDomain,
  kBouncedLate,
};

constexpr std::array kReplies{
    Reply{250, "2.0.0", "", "OK  1795489501 a640c23a62f3a-b31ffabc1desi1234567.89 - gsmtp"},
    Reply{250, "2.0.0", "", "Ok: queued as 9F8E7D6C5B"},
    Reply{250, "2.6.0", "",
          "<message> [InternalId=94489280511, Hostname=AM0PR0102.example] 11234 bytes in 0.213 "
          "Queued mail for delivery"},
    Reply{250, "", "", "OK id=1tF2aB-00C3dE-4f"},

    Reply{550, "5.1.1", "RCPT",
          "The email account that you tried to reach does not exist. Please try double-checking "
          "the recipient's email address for typos or unnecessary spaces. For more information, go "
          "to https://support.google.com/mail/?p=NoSuchUser 5b1f17b1804b1 - gsmtp"},
    Reply{550, "5.5.0", "RCPT", "Requested action not taken: mailbox unavailable (S2017062302)."},
    Reply{554, "", "END-OF-MESSAGE",
          "delivery error: dd This user doesn't have a yahoo.com account ({to}) [0] - "
          "mta4207.mail.bf1.yahoo.com"},
    Reply{550, "", "RCPT",
          "Requested action not taken: mailbox unavailable For explanation visit "
          "https://postmaster.gmx.net/en/case?c=r0601&i=ip&v=192.0.2.10"},
    Reply{550, "5.1.1", "RCPT",
          "<{to}>: Recipient address rejected: User unknown in virtual mailbox table"},
    Reply{550, "", "RCPT", "No Such User Here"},
    Reply{550, "5.1.1", "RCPT",
          "Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]"},
    Reply{550, "5.1.1", "RCPT", "<{to}> User doesn't exist: {to}"},
    Reply{550, "5.4.1", "RCPT",
          "Recipient address rejected: Access denied. For more information see "
          "https://aka.ms/EXOSmtpErrors [AM4PEPF00027A61.eurprd04.prod.outlook.com]"},

    Reply{452, "4.2.2", "RCPT",
          "The recipient's inbox is out of storage space. Please direct the recipient to "
          "https://support.google.com/mail/?p=OverQuotaTemp 5b1f17b1804b1 - gsmtp"},
    Reply{552, "5.2.2", "END-OF-MESSAGE",
          "The recipient's mailbox is full and can't accept messages now."},
    Reply{552, "", "END-OF-MESSAGE", "1 Requested mail action aborted, mailbox is over quota"},
    Reply{452, "4.2.2", "RCPT", "<{to}>: Mailbox full: quota exceeded"},
    Reply{452, "", "RCPT", "Mailbox full: message would exceed the quota of {to}"},

    Reply{421, "4.7.28", "END-OF-MESSAGE",
          "Gmail has detected an unusual rate of mail originating from your IP address. To protect "
          "our users from spam, mail has been temporarily rate limited. 5b1f17b1804b1 - gsmtp"},
    Reply{451, "4.7.500", "RCPT",
          "Server busy. Please try again later from [192.0.2.10]. Too many messages for this "
          "session. (S775)"},
    Reply{421, "4.7.0", "CONNECT",
          "[TSS04] Messages from 192.0.2.10 temporarily deferred due to excessive volume; see "
          "https://postmaster.yahooinc.com/error-codes"},
    Reply{
        450, "", "RCPT",
        "Requested mail action not taken: too many connections from your address, try again later"},
    Reply{421, "", "CONNECT",
          "mwinf5c04 ME Trop de connexions, veuillez verifier votre configuration. Too many "
          "connections, slow down. OFR004_104 [104]"},
    Reply{421, "4.7.0", "CONNECT", "Error: too many connections from 192.0.2.10"},

    Reply{550, "5.7.1", "END-OF-MESSAGE",
          "Our system has detected that this message is suspicious due to the very low reputation "
          "of the sending IP address. To best protect our users from spam, the message has been "
          "blocked. 5b1f17b1804b1 - gsmtp"},
    Reply{550, "5.7.1", "MAIL",
          "Unfortunately, messages from [192.0.2.10] weren't sent. Please contact your Internet "
          "service provider since part of their network is on our block list (S3150)."},
    Reply{553, "5.7.1", "CONNECT",
          "[BL21] Connections will not be accepted from 192.0.2.10, because the ip is in "
          "Spamhaus's list; see https://postmaster.yahooinc.com/error-codes"},
    Reply{554, "", "CONNECT",
          "No SMTP service IP address is block listed. For "
          "explanation visit https://postmaster.gmx.net/en/case?c=hi"},
    Reply{554, "5.7.1", "RCPT",
          "Service unavailable; Client host [192.0.2.10] blocked using zen.spamhaus.org"},

    Reply{550, "5.7.1", "END-OF-MESSAGE",
          "Our system has detected that this message is likely unsolicited mail. To reduce the "
          "amount of spam sent to Gmail, this message has been blocked. "
          "https://support.google.com/mail/?p=UnsolicitedMessageError 5b1f17b1804b1 - gsmtp"},
    Reply{550, "5.7.520", "END-OF-MESSAGE",
          "Message blocked because it contains content identified as spam. AS(4810)"},
    Reply{554, "5.7.9", "END-OF-MESSAGE",
          "Message contains content identified as spam. See "
          "https://postmaster.yahooinc.com/error-codes"},
    Reply{554, "", "END-OF-MESSAGE",
          "Transaction failed Reject due to policy restrictions: message identified as spam. For "
          "explanation visit https://postmaster.gmx.net/en/case?c=r1203"},
    Reply{554, "5.7.1", "END-OF-MESSAGE", "Spam message rejected"},

    Reply{451, "4.3.0", "RCPT", "Temporary server error. Please try again later"},
    Reply{421, "4.3.2", "CONNECT", "Service not available, closing transmission channel"},

    Reply{450, "4.2.0", "RCPT",
          "<{to}>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help"},
    Reply{0, "4.4.1", "", "connect to {mx}:25: Connection timed out"},
    Reply{0, "5.4.4", "",
          "Host or domain name not found. Name service error for name={domain} type=A: Host not "
          "found"},
    Reply{550, "5.1.1", "", "<{to}>: user unknown"},
};
static_assert(kReplies.size() == kBouncedLate + 1);

constexpr std::array kReceivers{
    Receiver{"gmail", "gmail.com googlemail.com", "gmail-smtp-in.l.google.com", "142.250.27.", 46,
             34, false, false, 0, 60, false, kTakenGmail, kUnknownGmail, kFullGmail, kLimitGmail,
             kBlockGmail, kContentGmail, kDownSystem},
    Receiver{"microsoft", "outlook.com hotmail.com live.com msn.com",
             "outlook-com.olc.protection.outlook.com", "52.101.9.", 17, 17, true, false, 0, 25,
             true, kTakenMicrosoft, kUnknownMicrosoft, kFullMicrosoft, kLimitMicrosoft,
             kBlockMicrosoft, kContentMicrosoft, kDownBusy},
    Receiver{"yahoo", "yahoo.com aol.com ymail.com", "mta5.am0.yahoodns.net", "67.195.204.", 16, 6,
             true, false, 0, 15, true, kTaken, kUnknownYahoo, kFullYahoo, kLimitYahoo, kBlockYahoo,
             kContentYahoo, kDownSystem},
    Receiver{"icloud", "icloud.com me.com mac.com", "mx01.mail.icloud.com", "17.57.155.", 9, 6,
             false, false, 0, 15, true, kTaken, kUnknownPostfix, kFullPostfix, kLimitPostfix,
             kBlockList, kContentPostfix, kDownSystem},
    Receiver{"gmx", "gmx.de gmx.net gmx.at", "mx00.emig.gmx.net", "212.227.15.", 0.5, 10, false,
             false, 0, 8, true, kTaken, kUnknownGmx, kFullYahoo, kLimitGmx, kBlockGmx, kContentGmx,
             kDownBusy},
    Receiver{"web.de", "web.de", "mx-ha02.web.de", "212.227.17.", 0.3, 8, false, false, 0, 8, true,
             kTaken, kUnknownGmx, kFullYahoo, kLimitGmx, kBlockGmx, kContentGmx, kDownBusy},
    Receiver{"t-online", "t-online.de magenta.de", "mx00.t-online.de", "194.25.134.", 0.2, 5, true,
             false, 0, 5, true, kTaken, kUnknownPostfix, kFullYahoo, kLimitPostfix, kBlockList,
             kContentPostfix, kDownSystem},
    Receiver{"orange", "orange.fr wanadoo.fr", "smtp-in.orange.fr", "80.12.26.", 0.2, 4, true,
             false, 0, 3, true, kTaken, kUnknownOrange, kFullYahoo, kLimitOrange, kBlockList,
             kContentPostfix, kDownBusy},
    Receiver{"free", "free.fr", "mx1.free.fr", "212.27.48.", 0.1, 2, false, false, 0.7, 4, false,
             kTaken, kUnknownPostfix, kFullPostfix, kLimitPostfix, kBlockList, kContentPostfix,
             kDownSystem},
    Receiver{"libero", "libero.it virgilio.it", "smtp-in.libero.it", "213.209.1.", 0.1, 3, true,
             false, 0, 5, true, kTaken, kUnknownPostfix, kFullYahoo, kLimitPostfix, kBlockList,
             kContentPostfix, kDownSystem},
    Receiver{"comcast", "comcast.net xfinity.com", "mx1h1.comcast.net", "96.114.157.", 6, 0.2, true,
             false, 0, 8, true, kTaken, kUnknownLocal, kFullYahoo, kLimitPostfix, kBlockList,
             kContentPostfix, kDownSystem},
    Receiver{"mail.ru", "mail.ru bk.ru inbox.ru", "mxs.mail.ru", "217.69.139.", 0.2, 1.5, true,
             false, 0, 10, true, kTaken, kUnknownLocal, kFullYahoo, kLimitPostfix, kBlockList,
             kContentPostfix, kDownSystem},
    // Of small domains, in this order by number: see kSmallKinds.
    Receiver{"hosted at microsoft", "", "{domain}.mail.protection.outlook.com", "52.101.73.", 0, 0,
             false, false, 0, 0, true, kTakenMicrosoft, kUnknown365, kFullMicrosoft,
             kLimitMicrosoft, kBlockMicrosoft, kContentMicrosoft, kDownSystem},
    Receiver{"hosted at google", "", "aspmx.l.google.com", "142.250.110.", 0, 0, false, false, 0, 0,
             false, kTakenGmail, kUnknownGmail, kFullGmail, kLimitGmail, kBlockGmail, kContentGmail,
             kDownSystem},
    Receiver{"own postfix", "", "mx.{domain}", "198.18.7.", 0, 0, false, false, 0, 0, false, kTaken,
             kUnknownPostfix, kFullPostfix, kLimitPostfix, kBlockList, kContentPostfix,
             kDownSystem},
    Receiver{"own postfix, greylisting", "", "mail.{domain}", "198.18.31.", 0, 0, false, false,
             0.95, 0, false, kTaken, kUnknownPostfix, kFullPostfix, kLimitPostfix, kBlockList,
             kContentPostfix, kDownSystem},
    Receiver{"shared hosting", "", "{domain}", "198.18.64.", 0, 0, false, false, 0.05, 0, false,
             kTakenExim, kUnknownExim, kFullExim, kLimitPostfix, kBlockList, kContentPostfix,
             kDownBusy},
    Receiver{"bounces late", "", "gate.{domain}", "198.18.99.", 0, 0, false, true, 0, 0, false,
             kTaken, kUnknownPostfix, kFullPostfix, kLimitPostfix, kBlockList, kContentPostfix,
             kDownSystem},
};
constexpr uint8_t kFirstSmall = 12;
// Of a hundred small domains.
constexpr std::array<uint8_t, 6> kSmallKinds{38, 16, 20, 9, 13, 4};

// Sorted: a greater number is a later name.
constexpr std::array<std::string_view, 64> kFirst{
    "aaron",   "adele", "agnes",  "alice",  "amir",   "anna",   "anton",   "astrid",
    "barbara", "ben",   "bianca", "boris",  "carla",  "carlos", "cecilia", "chris",
    "clara",   "dana",  "daniel", "david",  "denise", "dirk",   "edith",   "elena",
    "emil",    "erik",  "eva",    "fabian", "felix",  "finn",   "frida",   "georg",
    "gina",    "hanna", "hector", "helga",  "hugo",   "ida",    "ivan",    "jana",
    "jonas",   "julia", "karl",   "katrin", "lars",   "laura",  "leo",     "lucia",
    "maria",   "mark",  "mila",   "nadia",  "nina",   "oscar",  "paul",    "petra",
    "rosa",    "sam",   "simon",  "sofia",  "tim",    "ursula", "victor",  "zoe"};
constexpr std::array<std::string_view, 64> kLast{
    "adams",  "albers",  "arnold",  "bauer",   "becker",  "bell",    "berg",   "brown",
    "carter", "clark",   "conti",   "costa",   "davis",   "dubois",  "eder",   "engel",
    "evans",  "ferrari", "fischer", "foster",  "fuchs",   "garcia",  "gray",   "haas",
    "hall",   "hansen",  "hill",    "huber",   "jansen",  "jones",   "kaiser", "keller",
    "klein",  "koch",    "lang",    "larsen",  "lehmann", "lopez",   "martin", "mayer",
    "meier",  "moreau",  "moser",   "nielsen", "novak",   "olsen",   "park",   "peters",
    "quinn",  "richter", "rossi",   "ruiz",    "sanders", "schmidt", "scott",  "silva",
    "stein",  "taylor",  "vogel",   "wagner",  "walker",  "weber",   "wolf",   "young"};
constexpr std::array<std::string_view, 32> kWords{
    "amber",  "birch",  "cedar",  "delta",  "ember",   "fjord",  "grove",  "haven",
    "inlet",  "jetty",  "knoll",  "larch",  "maple",   "north",  "ocean",  "pines",
    "quartz", "ridge",  "stone",  "tulip",  "umber",   "vista",  "willow", "zephyr",
    "copper", "harbor", "meadow", "orchid", "prairie", "silver", "summit", "valley"};
constexpr std::array<std::string_view, 16> kTrades{
    "bau",   "design", "dental", "energy", "foods",  "garden", "hotel", "legal",
    "media", "motors", "optics", "press",  "sports", "studio", "tech",  "travel"};
// What remains of 100.
constexpr double kDomainShares[] = {0.62, 0.86, 0.95};

void append_number(std::string& out, uint64_t number) {
  char digits[20];
  size_t at = sizeof digits;
  do {
    digits[--at] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  out.append(digits + at, sizeof digits - at);
}

// The word number `wanted` of those separated by single blanks.
std::string_view word_of(std::string_view words, uint32_t wanted) {
  for (; wanted > 0 && words.find(' ') != std::string_view::npos; --wanted) {
    words.remove_prefix(words.find(' ') + 1);
  }
  return words.substr(0, words.find(' '));
}

uint8_t small_kind(uint32_t domain) {
  auto left = static_cast<int>(mixed(domain, 77) % 100);
  uint8_t kind = 0;
  while (left >= kSmallKinds[kind]) left -= kSmallKinds[kind++];
  return static_cast<uint8_t>(kFirstSmall + kind);
}

uint8_t consumer_receiver(Region region, double part) {
  double all = 0;
  const auto share = [&](const Receiver& receiver) {
    return region == Region::america ? receiver.america : receiver.europe;
  };
  for (size_t i = 0; i < kFirstSmall; ++i) all += share(kReceivers[i]);
  double left = part * all;
  for (uint8_t i = 0; i < kFirstSmall; ++i) {
    left -= share(kReceivers[i]);
    if (left < 0) return i;
  }
  return 0;
}

}  // namespace

std::span<const Reply> replies() { return kReplies; }
std::span<const Receiver> receivers() { return kReceivers; }
CommonReplies common_replies() { return {kGreylisted, kTimedOut, kNoDomain, kBouncedLate}; }

std::optional<uint8_t> receiver_named(std::string_view name) {
  for (uint8_t i = 0; i < kFirstSmall; ++i) {
    if (kReceivers[i].name == name) return i;
  }
  return std::nullopt;
}

Mailbox mailbox_of(const Audience& audience, uint64_t bits) {
  Mailbox made;
  made.local = mixed(bits, 1);
  const uint64_t where = mixed(bits, 2);
  if (unit_of(where) < audience.small) {
    // A few domains have many mailboxes, most have few (Zipf).
    const double rank = natural_exp(unit_of(mixed(bits, 3)) * natural_log(kSmallDomains));
    made.domain = static_cast<uint32_t>(rank) - 1;
    made.receiver = small_kind(made.domain);
    return made;
  }
  made.receiver = consumer_receiver(audience.region, unit_of(mixed(bits, 4)));
  const double part = unit_of(mixed(bits, 5));
  while (made.domain < 3 && part > kDomainShares[made.domain]) ++made.domain;
  return made;
}

void append_company(std::string& out, uint32_t number) {
  const uint64_t bits = mixed(number, 11);
  out += kWords[bits % kWords.size()];
  out += kTrades[(bits >> 8) % kTrades.size()];
  append_number(out, number);
  out += ".example";
}

void append_domain(std::string& out, const Mailbox& mailbox) {
  const Receiver& receiver = kReceivers[mailbox.receiver];
  if (mailbox.state == MailboxState::no_domain) {
    out += "gone-";
    append_company(out, static_cast<uint32_t>(mailbox.local % 3001) + 900'000);
  } else if (receiver.domains.empty()) {
    append_company(out, 200'000 + mailbox.domain);
  } else {
    out += word_of(receiver.domains, mailbox.domain);
  }
}

void append_person(std::string& out, uint64_t bits) {
  out += kFirst[bits >> 58];
  out += '.';
  out += kLast[(bits >> 52) & 63];
}

void append_local(std::string& out, const Mailbox& mailbox) {
  append_person(out, mailbox.local);
  const uint64_t number = (mailbox.local >> 42) & 1023;
  out += static_cast<char>('0' + number / 1000);
  out += static_cast<char>('0' + number / 100 % 10);
  out += static_cast<char>('0' + number / 10 % 10);
  out += static_cast<char>('0' + number % 10);
}

void append_mx(std::string& out, const Mailbox& mailbox) {
  const std::string_view mx = kReceivers[mailbox.receiver].mx;
  const size_t mark = mx.find("{domain}");
  out += mx.substr(0, mark);
  if (mark == std::string_view::npos) return;
  append_domain(out, mailbox);
  out += mx.substr(mark + 8);
}

void append_mx_ip(std::string& out, const Mailbox& mailbox) {
  const Receiver& receiver = kReceivers[mailbox.receiver];
  out += receiver.network;
  append_number(out, receiver.domains.empty() ? 1 + mailbox.domain % 250 : 26 + mailbox.domain);
}

}  // namespace watchpost::simulate
