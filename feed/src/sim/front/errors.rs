//! The front's own error codes, and the words of every code that a client may see. Numbers are CTP's `error.xml`; the
//! words are short ones of ours, in GBK as on the wire, with their meaning beside them.

use shrike_core::units::Text;

/// Wrong broker, user or password (`INVALID_LOGIN`).
pub const BAD_LOGIN: i32 = 3;
/// Not logged in (`NOT_LOGIN_YET`).
pub const NOT_LOGGED_IN: i32 = 6;
/// No trading day yet (`NOT_INITED`).
pub const NOT_READY: i32 = 7;
/// The user has too many sessions.
pub const TOO_MANY_SESSIONS: i32 = 60;
/// The terminal's name or code is wrong (`AUTH_FAILED`).
pub const AUTHENTICATION_FAILED: i32 = 63;
/// A login without authentication (`NOT_AUTHENT`).
pub const NOT_AUTHENTICATED: i32 = 64;
/// Too many wrong logins in a row (`LOGIN_FORBIDDEN`).
pub const LOGIN_BANNED: i32 = 75;
/// Too many queries (`NEED_RETRY`).
pub const QUERY_NOT_READY: i32 = 90;

/// The words of each code, in GBK.
const WORDS: &[(i32, &[u8])] = &[
    // 正确: correct
    (0, b"\xd5\xfd\xc8\xb7"),
    // CTP:登录信息错误: wrong login
    (3, b"CTP:\xb5\xc7\xc2\xbc\xd0\xc5\xcf\xa2\xb4\xed\xce\xf3"),
    // CTP:尚未登录: not logged in
    (6, b"CTP:\xc9\xd0\xce\xb4\xb5\xc7\xc2\xbc"),
    // CTP:尚未初始化: not initialised
    (7, b"CTP:\xc9\xd0\xce\xb4\xb3\xf5\xca\xbc\xbb\xaf"),
    // CTP:前置不活跃: front not active
    (8, b"CTP:\xc7\xb0\xd6\xc3\xb2\xbb\xbb\xee\xd4\xbe"),
    // CTP:报单字段错误: bad field of an order
    (15, b"CTP:\xb1\xa8\xb5\xa5\xd7\xd6\xb6\xce\xb4\xed\xce\xf3"),
    // CTP:无此合约: no such contract
    (16, b"CTP:\xce\xde\xb4\xcb\xba\xcf\xd4\xbc"),
    // CTP:合约不可交易: contract not traded
    (17, b"CTP:\xba\xcf\xd4\xbc\xb2\xbb\xbf\xc9\xbd\xbb\xd2\xd7"),
    // CTP:报单引用重复: OrderRef used before
    (22, b"CTP:\xb1\xa8\xb5\xa5\xd2\xfd\xd3\xc3\xd6\xd8\xb8\xb4"),
    // CTP:无此报单: no such order
    (25, b"CTP:\xce\xde\xb4\xcb\xb1\xa8\xb5\xa5"),
    // CTP:报单已结束: the order has ended
    (26, b"CTP:\xb1\xa8\xb5\xa5\xd2\xd1\xbd\xe1\xca\xf8"),
    // CTP:平仓量超过持仓: more to close than held
    (30, b"CTP:\xc6\xbd\xb2\xd6\xc1\xbf\xb3\xac\xb9\xfd\xb3\xd6\xb2\xd6"),
    // CTP:资金不足: not enough funds
    (31, b"CTP:\xd7\xca\xbd\xf0\xb2\xbb\xd7\xe3"),
    // CTP:结算单未确认: settlement not confirmed
    (42, b"CTP:\xbd\xe1\xcb\xe3\xb5\xa5\xce\xb4\xc8\xb7\xc8\xcf"),
    // CTP:今仓不足: not enough of today's lots
    (50, b"CTP:\xbd\xf1\xb2\xd6\xb2\xbb\xd7\xe3"),
    // CTP:昨仓不足: not enough of earlier lots
    (51, b"CTP:\xd7\xf2\xb2\xd6\xb2\xbb\xd7\xe3"),
    // CTP:会话数超限: too many sessions
    (60, b"CTP:\xbb\xe1\xbb\xb0\xca\xfd\xb3\xac\xcf\xde"),
    // CTP:终端认证失败: terminal refused
    (63, b"CTP:\xd6\xd5\xb6\xcb\xc8\xcf\xd6\xa4\xca\xa7\xb0\xdc"),
    // CTP:终端未认证: terminal not authenticated
    (64, b"CTP:\xd6\xd5\xb6\xcb\xce\xb4\xc8\xcf\xd6\xa4"),
    // CTP:登录已被禁止: logins banned
    (75, b"CTP:\xb5\xc7\xc2\xbc\xd2\xd1\xb1\xbb\xbd\xfb\xd6\xb9"),
    // CTP:价格类型不支持: price type not taken
    (80, b"CTP:\xbc\xdb\xb8\xf1\xc0\xe0\xd0\xcd\xb2\xbb\xd6\xa7\xb3\xd6"),
    // CTP:查询未就绪: query not ready
    (90, b"CTP:\xb2\xe9\xd1\xaf\xce\xb4\xbe\xcd\xd0\xf7"),
    // CTP:交易所拒绝: refused by the exchange
    (91, b"CTP:\xbd\xbb\xd2\xd7\xcb\xf9\xbe\xdc\xbe\xf8"),
    // CTP:价格非最小变动价位倍数: price off tick
    (95, b"CTP:\xbc\xdb\xb8\xf1\xb7\xc7\xd7\xee\xd0\xa1\xb1\xe4\xb6\xaf\xbc\xdb\xce\xbb\xb1\xb6\xca\xfd"),
    // CTP:非交易时段: not a trading period
    (162, b"CTP:\xb7\xc7\xbd\xbb\xd2\xd7\xca\xb1\xb6\xce"),
    // CTP:价格超出涨跌停板: price outside the limits
    (163, b"CTP:\xbc\xdb\xb8\xf1\xb3\xac\xb3\xf6\xd5\xc7\xb5\xf8\xcd\xa3\xb0\xe5"),
    // CTP:报单手数非法: lots not taken
    (164, b"CTP:\xb1\xa8\xb5\xa5\xca\xd6\xca\xfd\xb7\xc7\xb7\xa8"),
];

/// 错误: error.
const OTHER: &[u8] = b"CTP:\xb4\xed\xce\xf3";

/// The words of a code, in GBK.
pub fn words(code: i32) -> Text<88> {
    let found = WORDS.iter().find(|&&(known, _)| known == code);
    Text::new(found.map_or(OTHER, |&(_, words)| words)).unwrap_or_default()
}
