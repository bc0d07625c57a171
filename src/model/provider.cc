#include "model/provider.h"

#include "base/hash.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace watchpost {
namespace {

// One provider and the domains under which it gives mailboxes to the public. Domains of
// organisations that a provider hosts are not here: they can change it without notice.
struct Provider {
  std::string_view name;
  std::string_view domains;  // separated by single blanks
  bool reports = false;      // see provider_reports()
};
constexpr std::array kProviders{
    Provider{"gmail", "gmail.com googlemail.com google.com"},
    Provider{"yahoo",
             "yahoo.com yahoo.at yahoo.be yahoo.bg yahoo.ca yahoo.ch yahoo.cl yahoo.cn yahoo.co.id "
             "yahoo.co.il yahoo.co.in yahoo.co.kr yahoo.co.nz yahoo.co.th yahoo.co.uk yahoo.co.za "
             "yahoo.com.ar yahoo.com.au yahoo.com.br yahoo.com.cn yahoo.com.co yahoo.com.hk "
             "yahoo.com.mx yahoo.com.my yahoo.com.pe yahoo.com.ph yahoo.com.sg yahoo.com.tr "
             "yahoo.com.tw yahoo.com.ua yahoo.com.ve yahoo.com.vn yahoo.cz yahoo.de yahoo.dk "
             "yahoo.ee yahoo.es yahoo.fi yahoo.fr yahoo.gr yahoo.hr yahoo.hu yahoo.ie yahoo.in "
             "yahoo.it yahoo.lt yahoo.lv yahoo.nl yahoo.no yahoo.pl yahoo.pt yahoo.ro yahoo.rs "
             "yahoo.se yahoo.si yahoo.sk ymail.com rocketmail.com myyahoo.com aol.com aol.de "
             "aol.fr aol.it aol.es aol.co.uk aol.ca aol.com.au aol.com.br aim.com love.com "
             "games.com wow.com netscape.net cs.com verizon.net att.net sbcglobal.net "
             "bellsouth.net ameritech.net pacbell.net swbell.net prodigy.net flash.net nvbell.net "
             "snet.net frontier.com frontiernet.net rogers.com",
             true},
    Provider{"yahoo_japan", "yahoo.co.jp ymail.ne.jp ybb.ne.jp"},
    Provider{
        "microsoft",
        "outlook.com outlook.at outlook.be outlook.cl outlook.co.id outlook.co.il outlook.co.th "
        "outlook.com.ar outlook.com.au outlook.com.br outlook.com.gr outlook.com.tr "
        "outlook.com.vn outlook.cz outlook.de outlook.dk outlook.es outlook.fr outlook.hu "
        "outlook.ie outlook.in outlook.it outlook.jp outlook.kr outlook.lv outlook.my "
        "outlook.ph outlook.pt outlook.sa outlook.sg outlook.sk hotmail.com hotmail.be "
        "hotmail.ca hotmail.ch hotmail.cl hotmail.co.id hotmail.co.il hotmail.co.jp "
        "hotmail.co.nz hotmail.co.th hotmail.co.uk hotmail.co.za hotmail.com.ar hotmail.com.au "
        "hotmail.com.br hotmail.com.hk hotmail.com.tr hotmail.com.tw hotmail.com.vn hotmail.cz "
        "hotmail.de hotmail.dk hotmail.es hotmail.fi hotmail.fr hotmail.gr hotmail.hu "
        "hotmail.it hotmail.lt hotmail.lv hotmail.my hotmail.nl hotmail.no hotmail.ph "
        "hotmail.rs hotmail.se hotmail.sg hotmail.sk live.com live.at live.be live.ca live.cl "
        "live.cn live.co.kr live.co.uk live.co.za live.com.ar live.com.au live.com.mx "
        "live.com.my live.com.ph live.com.pt live.com.sg live.de live.dk live.fi live.fr "
        "live.hk live.ie live.in live.it live.jp live.nl live.no live.ru live.se msn.com "
        "passport.com windowslive.com",
        true},
    Provider{"icloud", "icloud.com me.com mac.com privaterelay.appleid.com"},
    Provider{"gmx",
             "gmx.de gmx.net gmx.at gmx.ch gmx.com gmx.us gmx.co.uk gmx.es gmx.fr gmx.eu "
             "gmx.org gmx.info gmx.li gmx.ie gmx.it"},
    Provider{"web.de", "web.de email.de"},
    Provider{"mail.com",
             "mail.com email.com usa.com post.com europe.com asia.com myself.com "
             "consultant.com dr.com engineer.com cheerful.com"},
    Provider{"t-online", "t-online.de magenta.de"},
    Provider{"freenet", "freenet.de"},
    Provider{"1und1", "online.de onlinehome.de"},
    Provider{"vodafone", "arcor.de vodafone.de vodafonemail.de kabelmail.de unitybox.de"},
    Provider{"mail.ru", "mail.ru bk.ru inbox.ru list.ru internet.ru xmail.ru vk.com mail.ua", true},
    Provider{"yandex",
             "yandex.ru yandex.com yandex.by yandex.kz yandex.ua yandex.com.tr ya.ru "
             "narod.ru"},
    Provider{"rambler", "rambler.ru lenta.ru autorambler.ru myrambler.ru ro.ru rambler.ua"},
    Provider{"ukr.net", "ukr.net"},
    Provider{"qq", "qq.com vip.qq.com foxmail.com"},
    Provider{"netease", "163.com 126.com yeah.net 188.com vip.163.com vip.126.com netease.com"},
    Provider{"sina", "sina.com sina.cn vip.sina.com"},
    Provider{"sohu", "sohu.com"},
    Provider{"aliyun", "aliyun.com"},
    Provider{"china_mobile", "139.com"},
    Provider{"china_telecom", "189.cn 21cn.com"},
    Provider{"naver", "naver.com"},
    Provider{"daum", "daum.net hanmail.net kakao.com"},
    Provider{"nate", "nate.com"},
    Provider{"docomo", "docomo.ne.jp"},
    Provider{"au", "ezweb.ne.jp au.com auone.jp"},
    Provider{"softbank", "softbank.ne.jp i.softbank.jp vodafone.ne.jp"},
    Provider{"rediffmail", "rediffmail.com rediff.com"},
    Provider{"comcast", "comcast.net xfinity.com", true},
    Provider{"charter",
             "charter.net spectrum.net rr.com twc.com roadrunner.com brighthouse.com "
             "nc.rr.com tampabay.rr.com austin.rr.com"},
    Provider{"cox", "cox.net", true},
    Provider{"optimum", "optonline.net optimum.net"},
    Provider{"centurylink", "centurylink.net centurytel.net embarqmail.com q.com"},
    Provider{"windstream", "windstream.net"},
    Provider{"earthlink", "earthlink.net mindspring.com peoplepc.com", true},
    Provider{"juno", "juno.com netzero.net netzero.com"},
    Provider{"shaw", "shaw.ca"},
    Provider{"bell", "bell.net sympatico.ca"},
    Provider{"telus", "telus.net"},
    Provider{"videotron", "videotron.ca"},
    Provider{"orange", "orange.fr wanadoo.fr orange.es orange.pl voila.fr"},
    Provider{"free", "free.fr aliceadsl.fr online.fr libertysurf.fr"},
    Provider{"laposte", "laposte.net", true},
    Provider{"sfr",
             "sfr.fr neuf.fr 9online.fr cegetel.net club-internet.fr numericable.fr "
             "noos.fr"},
    Provider{"bouygues", "bbox.fr"},
    Provider{"libero", "libero.it iol.it inwind.it blu.it giallo.it", true},
    Provider{"virgilio", "virgilio.it alice.it tin.it tim.it", true},
    Provider{"tiscali", "tiscali.it tiscalinet.it"},
    Provider{"aruba", "aruba.it technet.it pec.it"},
    Provider{"telefonica", "telefonica.net movistar.es terra.es"},
    Provider{"sapo", "sapo.pt"},
    Provider{"uol", "uol.com.br bol.com.br"},
    Provider{"terra", "terra.com.br terra.com"},
    Provider{"locaweb", "ig.com.br"},
    Provider{"btinternet", "btinternet.com btopenworld.com talk21.com bt.com"},
    Provider{"sky", "sky.com"},
    Provider{"virginmedia", "virginmedia.com ntlworld.com blueyonder.co.uk virgin.net"},
    Provider{"talktalk", "talktalk.net tiscali.co.uk lineone.net"},
    Provider{"ziggo", "ziggo.nl home.nl upcmail.nl chello.nl casema.nl quicknet.nl"},
    Provider{"kpn", "kpnmail.nl planet.nl hetnet.nl xs4all.nl telfort.nl"},
    Provider{"telenet", "telenet.be"},
    Provider{"proximus", "skynet.be proximus.be"},
    Provider{"bluewin", "bluewin.ch swisscom.ch"},
    Provider{"a1", "a1.net aon.at"},
    Provider{"seznam", "seznam.cz email.cz post.cz spoluzaci.cz", true},
    Provider{"centrum", "centrum.cz volny.cz atlas.cz centrum.sk"},
    Provider{"wp", "wp.pl o2.pl tlen.pl"},
    Provider{"onet", "onet.pl op.pl onet.eu poczta.onet.pl vp.pl"},
    Provider{"interia", "interia.pl interia.eu poczta.fm"},
    Provider{"telia", "telia.com"},
    Provider{"online.no", "online.no"},
    Provider{"bigpond", "bigpond.com bigpond.net.au telstra.com"},
    Provider{"optus", "optusnet.com.au"},
    Provider{"tpg", "tpg.com.au iinet.net.au westnet.com.au internode.on.net"},
    Provider{"xtra", "xtra.co.nz"},
    Provider{"proton", "proton.me protonmail.com protonmail.ch pm.me"},
    Provider{"tuta", "tuta.com tutanota.com tutanota.de tutamail.com tuta.io keemail.me"},
    Provider{"zoho", "zoho.com zohomail.com zoho.eu zohomail.eu zoho.in zohomail.in", true},
    Provider{"fastmail", "fastmail.com fastmail.fm messagingengine.com sent.com", true},
    Provider{"posteo", "posteo.de posteo.net"},
    Provider{"mailbox.org", "mailbox.org"},
    Provider{"hey", "hey.com"},
};

// Open addressing, half empty. Built once; never changed.
class DomainTable {
 public:
  DomainTable() : rows_(kSlots) {
    for (const Provider& provider : kProviders) {
      for (size_t at = 0; at < provider.domains.size();) {
        const size_t end = std::min(provider.domains.find(' ', at), provider.domains.size());
        put(provider.domains.substr(at, end - at), provider.name);
        at = end + 1;
      }
    }
  }
  // Empty where the domain is not known.
  std::string_view find(std::string_view domain) const {
    for (size_t slot = hash64(domain) % kSlots; !rows_[slot].domain.empty();
         slot = (slot + 1) % kSlots) {
      if (rows_[slot].domain == domain) return rows_[slot].provider;
    }
    return {};
  }

 private:
  static constexpr size_t kSlots = 1024;
  struct Row {
    std::string_view domain;
    std::string_view provider;
  };
  void put(std::string_view domain, std::string_view provider) {
    size_t slot = hash64(domain) % kSlots;
    while (!rows_[slot].domain.empty()) slot = (slot + 1) % kSlots;
    rows_[slot] = {domain, provider};
  }
  std::vector<Row> rows_;
};

}  // namespace

bool provider_reports(std::string_view provider) {
  // A dozen: most differ in their length already.
  static const std::vector<std::string_view> kReporting = [] {
    std::vector<std::string_view> names;
    for (const Provider& one : kProviders) {
      if (one.reports) names.push_back(one.name);
    }
    return names;
  }();
  return std::ranges::find(kReporting, provider) != kReporting.end();
}

namespace {

const DomainTable& table() {
  static const DomainTable kTable;
  return kTable;
}

}  // namespace

std::string_view provider_of(std::string_view domain) {
  const std::string_view provider = table().find(domain);
  return provider.empty() ? domain : provider;
}

bool is_mailbox_provider(std::string_view domain) { return !table().find(domain).empty(); }

}  // namespace watchpost
