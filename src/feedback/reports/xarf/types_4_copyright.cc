#include "feedback/reports/complaint_text.h"
#include "feedback/reports/xarf/formats.h"
#include "feedback/reports/xarf/types_4.h"

#include <array>

namespace watchpost::feedback {
namespace {

using namespace xarf;

constexpr XarfRule kCopyright[] = {
    needed(uri("infringing_url")),
    text("work_title", 500),
    text("rights_holder", 200),
    uri("original_url"),
    one_of("infringement_type", "direct_copy modified_copy streaming download distribution"),
};
constexpr XarfRule kCyberlockerFileInfo[] = {
    text("filename", 500),
    whole("file_size", 0),
    formed("file_hash", "a digest with its algorithm", is_digest),
    time("upload_date"),
    whole("download_count", 0),
};
constexpr XarfRule kCyberlockerUploaderInfo[] = {
    text("username", 200),
    text("user_id", 100),
    one_of("account_type", "free premium business unknown"),
};
constexpr XarfRule kCyberlockerTakedownInfo[] = {
    whole("previous_requests", 0),
    text("service_response_time"),
    truth("automated_removal"),
};
constexpr XarfRule kCyberlocker[] = {
    one_of("evidence_source",
           "automated_crawl manual_discovery user_report rights_holder search_engine"),
    needed(uri("infringing_url")),
    needed(text("hosting_service", 200)),
    closed(object("file_info", kCyberlockerFileInfo)),
    closed(object("uploader_info", kCyberlockerUploaderInfo)),
    text("work_title", 500),
    text("rights_holder", 200),
    one_of("work_category", "movie tv_show music software ebook audiobook game document other"),
    one_of("access_method",
           "direct_link password_protected premium_only time_limited captcha_protected"),
    closed(object("takedown_info", kCyberlockerTakedownInfo)),
};
constexpr XarfRule kLinkSiteLinkInfo[] = {
    text("page_title", 500),    time("posting_date"),   text("uploader", 200),
    whole("download_count", 0), whole("link_count", 1), whole("comments_count", 0),
};
constexpr XarfRule kLinkSiteLinkedContentItem[] = {
    needed(uri("target_url")),
    needed(one_of("link_type",
                  "torrent_file magnet_link direct_download streaming_link usenet_nzb other")),
    text("hosting_service", 200),
    whole("file_size", 0),
};
constexpr XarfRule kLinkSiteLinkedContent = closed(object("", kLinkSiteLinkedContentItem));
constexpr XarfRule kLinkSiteSearchTerms = text("", 200);
constexpr XarfRule kLinkSiteSiteRanking[] = {
    whole("alexa_rank", 1),
    number("popularity_score", 0, 10),
};
constexpr XarfRule kLinkSite[] = {
    one_of("evidence_source",
           "automated_crawl manual_monitoring user_report rights_holder search_monitoring"),
    needed(uri("infringing_url")),
    needed(text("site_name", 200)),
    one_of("site_category",
           "torrent_index direct_download_links streaming_links usenet_index search_engine "
           "forum_links other"),
    closed(object("link_info", kLinkSiteLinkInfo)),
    list("linked_content", kLinkSiteLinkedContent, 0, 50),
    text("work_title", 500),
    text("rights_holder", 200),
    one_of("work_category",
           "movie tv_show music software ebook audiobook game adult_content other"),
    list("search_terms", kLinkSiteSearchTerms, 0, 10),
    closed(object("site_ranking", kLinkSiteSiteRanking)),
};
constexpr XarfRule kP2pSwarmInfo[] = {
    formed("info_hash", "a SHA-1 digest", is_sha1),
    formed("magnet_uri", "a magnet link", is_magnet),
    text("torrent_name", 500),
    whole("file_count", 1),
    whole("total_size", 0),
};
constexpr XarfRule kP2pPeerInfo[] = {
    text("peer_id", 100),
    text("client_version", 100),
    whole("upload_amount", 0),
    whole("download_amount", 0),
};
constexpr XarfRule kP2p[] = {
    one_of("evidence_source",
           "automated_crawl manual_monitoring user_report rights_holder watermark_detection"),
    needed(one_of("p2p_protocol", "bittorrent edonkey gnutella kademlia other")),
    closed(object("swarm_info", kP2pSwarmInfo)),
    closed(object("peer_info", kP2pPeerInfo)),
    text("work_title", 500),
    text("rights_holder", 200),
    one_of("work_category", "movie tv_show music software ebook audiobook game other"),
    formed("release_date", "a date", is_date),
    one_of("detection_method", "automated_crawl fingerprinting metadata_match manual_verification"),
};
constexpr XarfRule kUgcPlatformContentInfo[] = {
    text("content_id", 200), text("content_title", 500),   text("content_description", 2'000),
    time("upload_date"),     whole("content_duration", 0), whole("view_count", 0),
    whole("like_count", 0),
};
constexpr XarfRule kUgcPlatformUploaderInfo[] = {
    text("username", 200),        text("user_id", 100),          truth("account_verified"),
    whole("subscriber_count", 0), time("account_creation_date"),
};
constexpr XarfRule kUgcPlatformMatchDetails[] = {
    number("match_confidence", 0, 1),
    whole("match_duration", 0),
    number("match_percentage", 0, 100),
    text("reference_id", 200),
};
constexpr XarfRule kUgcPlatformMonetizationInfo[] = {
    truth("monetized"),
    truth("ad_revenue"),
    truth("premium_content"),
};
constexpr XarfRule kUgcPlatform[] = {
    one_of("evidence_source",
           "automated_detection user_report rights_holder content_id_match fingerprint_match "
           "manual_review"),
    needed(uri("infringing_url")),
    needed(text("platform_name", 200)),
    closed(object("content_info", kUgcPlatformContentInfo)),
    closed(object("uploader_info", kUgcPlatformUploaderInfo)),
    text("work_title", 500),
    text("rights_holder", 200),
    one_of("work_category",
           "movie tv_show music music_video audiobook podcast live_performance sports_event "
           "documentary other"),
    one_of("infringement_type",
           "full_work substantial_portion compilation remix_unauthorized background_music "
           "clip_mashup"),
    closed(object("match_details", kUgcPlatformMatchDetails)),
    closed(object("monetization_info", kUgcPlatformMonetizationInfo)),
};
constexpr XarfRule kUsenetMessageInfo[] = {
    text("message_id", 500), text("subject", 500),    text("from_header", 200),
    time("posting_date"),    whole("part_number", 1), whole("total_parts", 1),
    whole("file_size", 0),
};
constexpr XarfRule kUsenetNzbInfo[] = {
    text("nzb_name", 500),
    uri("nzb_url"),
    text("indexer_site", 200),
    number("completion_percentage", 0, 100),
};
constexpr XarfRule kUsenetServerInfo[] = {
    text("nntp_server", 200),
    text("server_group", 200),
    whole("retention_days", 1),
};
constexpr XarfRule kUsenetEncodingInfo[] = {
    one_of("encoding_format", "yenc uuencode base64 other"),
    truth("par2_recovery"),
    truth("rar_compression"),
};
constexpr XarfRule kUsenet[] = {
    one_of("evidence_source",
           "automated_monitoring newsgroup_crawl user_report rights_holder nzb_index_monitoring"),
    needed(text("newsgroup", 200)),
    closed(object("message_info", kUsenetMessageInfo)),
    closed(object("nzb_info", kUsenetNzbInfo)),
    closed(object("server_info", kUsenetServerInfo)),
    text("work_title", 500),
    text("rights_holder", 200),
    one_of("work_category",
           "movie tv_show music software ebook audiobook magazine game adult_content other"),
    closed(object("encoding_info", kUsenetEncodingInfo)),
    one_of("detection_method", "subject_line_match header_analysis content_sampling nzb_metadata"),
};

constexpr std::array<XarfType4, 6> kTypes = {{
    {"copyright", "copyright", kCopyright},
    {"copyright", "cyberlocker", kCyberlocker},
    {"copyright", "link_site", kLinkSite},
    {"copyright", "p2p", kP2p, XarfType4::Asks::swarm},
    {"copyright", "ugc_platform", kUgcPlatform},
    {"copyright", "usenet", kUsenet, XarfType4::Asks::news_message},
}};

}  // namespace

std::span<const XarfType4> copyright_types_4() { return kTypes; }

}  // namespace watchpost::feedback
