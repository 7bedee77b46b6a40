"""The interface's own phrases in every language: headings, sentences that are put together, errors.

What is known about codes is in `codes.yaml`, not here. A test holds the languages against each other.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from .errors import KnowledgeError, NotACode, PassedOver, SmtprefError, Unreadable, WrongUsage
from .knowledge import LANGUAGES, Language

PHRASES: Mapping[str, tuple[str, str]] = {
    # Headings. The first six in Vietnamese are those of the page that inspired the project.
    "meaning": ("Meaning", "Mô tả"),
    "when": ("When", "Khi bạn thấy mã này"),
    "fix": ("Fix", "Cách khắc phục"),
    "differences": ("Key differences", "Sự khác biệt chính"),
    "use": ("When to use which", "Khi nào dùng cái nào"),
    "more": ("Learn more", "Tìm hiểu thêm"),
    "phases": ("Commands", "Lệnh"),
    "acts": ("Who acts", "Ai xử lý"),
    "class": ("Class", "Lớp"),
    "retry": ("Retry", "Gửi lại"),
    "example": ("Example", "Ví dụ"),
    "with-it": ("With it", "Đi kèm"),
    "providers": ("Providers", "Nhà cung cấp"),
    "related": ("Related", "Liên quan"),
    "note": ("Note", "Lưu ý"),
    "sources": ("Sources", "Nguồn"),
    "reasons": ("Behind it", "Nguyên nhân"),
    "codes": ("Codes", "Mã"),
    "code": ("Code", "Mã"),
    "name": ("Name", "Tên"),
    "in-both": ("The same", "Giống nhau"),
    "do-now": ("Do now", "Làm ngay"),
    "to": ("To", "Người nhận"),
    "from": ("From", "Người gửi"),
    "reply": ("Reply", "Phản hồi"),
    "log": ("Log", "Nhật ký"),
    "because": ("Because", "Căn cứ"),
    "overruled": ("Overruled", "Bị bác"),
    "operator": ("Operator", "Đơn vị vận hành"),
    "status": ("Status", "Tình trạng"),
    "lookup": ("Look-up", "Tra cứu"),
    "removal": ("Removal", "Xin gỡ"),
    "return-codes": ("Answers", "Kết quả tra"),
    "status-alive": ("alive", "đang hoạt động"),
    "status-merged": ("merged into another list", "đã gộp vào danh sách khác"),
    "status-closed": ("closed", "đã đóng"),
    "status-unclear": ("unclear whether it still works", "không rõ còn hoạt động không"),
    "lists-ip": ("IP addresses", "địa chỉ IP"),
    "lists-domain": ("domains", "tên miền"),
    "lists-email": ("e-mail addresses", "địa chỉ email"),
    "lists-allow": ("good senders (an allow list)", "bên gửi tốt (danh sách cho phép)"),
    "lists": ("Lists", "Liệt kê"),
    "query-refused": ("query refused, no listing", "truy vấn bị từ chối, không phải bị liệt kê"),
    "client": ("Client", "Máy khách"),
    "relay": ("Answered by", "Bên trả lời"),
    "blocklist": ("Blocklist", "Danh sách chặn"),
    "wait": ("Wait", "Chờ"),
    "cause": ("Cause", "Nguyên nhân gốc"),
    "at": ("At", "Lúc"),
    "time": ("Time", "Thời gian"),
    "recipient": ("Recipient", "Người nhận"),
    "reason": ("Reason", "Nguyên nhân"),
    # Kinds of entries, as a title's last word.
    "kind-reply": ("reply code", "mã phản hồi"),
    "kind-enhanced": ("enhanced status code", "mã trạng thái mở rộng"),
    "kind-class": ("class of codes", "lớp mã"),
    "kind-provider": ("{provider}'s own code", "mã riêng của {provider}"),
    "kind-blocklist": ("blocklist", "danh sách chặn"),
    "kind-reason": ("reason", "nguyên nhân"),
    "group-reply": ("Reply codes", "Mã phản hồi"),
    "group-enhanced": ("Enhanced status codes", "Mã trạng thái mở rộng"),
    "group-class": ("Classes", "Các lớp"),
    "group-provider": ("Providers' own codes", "Mã riêng của nhà cung cấp"),
    "group-blocklist": ("Blocklists", "Danh sách chặn"),
    "group-reason": ("Reasons", "Nguyên nhân"),
    # Permanence.
    "success": ("success", "thành công"),
    "intermediate": ("go on", "tiếp tục"),
    "temporary": ("temporary", "tạm thời"),
    "permanent": ("permanent", "vĩnh viễn"),
    "either": ("temporary or permanent", "tạm thời hoặc vĩnh viễn"),
    "unregistered": ("unregistered", "chưa đăng ký"),
    "uncertain": ("reported, not confirmed", "được ghi nhận, chưa xác nhận"),
    "retry-success": ("not needed", "không cần"),
    "retry-intermediate": ("no: go on with the dialogue", "không: tiếp tục phiên SMTP"),
    "retry-temporary": ("yes: the sending server tries again by itself", "có: máy chủ gửi tự gửi lại"),
    "retry-permanent": ("no: unchanged, it will be refused again", "không: nếu giữ nguyên sẽ lại bị từ chối"),
    "retry-either": ("4 yes, 5 no", "4: có, 5: không"),
    # Who acts.
    "actor-sender": ("the sender", "người gửi"),
    "actor-sender-admin": ("the sending administrator", "quản trị viên bên gửi"),
    "actor-recipient": ("the recipient", "người nhận"),
    "actor-receiver-admin": ("the receiving administrator", "quản trị viên bên nhận"),
    "actor-none": ("nobody", "không ai"),
    # Bounce.
    "bounce-hard": ("hard", "trả lại vĩnh viễn"),
    "bounce-soft": ("soft", "trả lại tạm thời"),
    "bounce-block": ("block", "bị chặn"),
    "bounce-none": ("no bounce", "không phải thư bị trả lại"),
    "outcome-delivered": ("Delivered", "Đã phát"),
    "outcome-deferred": ("Deferred", "Hoãn lại"),
    "outcome-bounced": ("Bounced", "Bị trả lại"),
    "outcome-rejected": ("Rejected", "Bị từ chối"),
    "outcome-rejected-here": ("Rejected here", "Bị từ chối tại đây"),
    "outcome-expired": ("Expired", "Hết hạn"),
    "outcome-discarded": ("Discarded", "Bị bỏ"),
    "outcome-complaint": ("Complaint", "Khiếu nại"),
    "word-hard": ("Undeliverable", "Không phát được"),
    "word-soft": ("Not yet", "Chưa được"),
    "word-block": ("Blocked", "Bị chặn"),
    "word-success": ("Success", "Thành công"),
    "word-none": ("Note", "Ghi nhận"),
    # Phases where the name differs from the command's.
    "phase-connect": ("the connection", "bước kết nối"),
    "phase-helo": ("HELO", "HELO"),
    "phase-ehlo": ("EHLO", "EHLO"),
    "phase-starttls": ("STARTTLS", "STARTTLS"),
    "phase-auth": ("AUTH", "AUTH"),
    "phase-mail": ("MAIL FROM", "MAIL FROM"),
    "phase-rcpt": ("RCPT TO", "RCPT TO"),
    "phase-data": ("DATA", "DATA"),
    "phase-end-of-data": ("the end of DATA", "bước kết thúc DATA"),
    "phase-bdat": ("BDAT", "BDAT"),
    "phase-burl": ("BURL", "BURL"),
    "phase-rset": ("RSET", "RSET"),
    "phase-vrfy": ("VRFY", "VRFY"),
    "phase-expn": ("EXPN", "EXPN"),
    "phase-help": ("HELP", "HELP"),
    "phase-noop": ("NOOP", "NOOP"),
    "phase-quit": ("QUIT", "QUIT"),
    "phase-etrn": ("ETRN", "ETRN"),
    "phase-atrn": ("ATRN", "ATRN"),
    "phase-any": ("any command", "bất kỳ lệnh nào"),
    # Lists.
    "and": (" and ", " và "),
    "or": (" or ", " hoặc "),
    # Entries that are put together from digits.
    "unregistered-name": ("{category} (unregistered)", "{category} (chưa đăng ký)"),
    "unregistered-meaning": (
        "No RFC and no registry defines {code}. Its digits say: {digits}.",
        "Không RFC hay sổ đăng ký nào định nghĩa {code}. Các chữ số cho biết: {digits}.",
    ),
    "outside-grammar": (
        "RFC 5321 does not even allow these digits; some servers send such codes all the same, so go by the first digit and the words.",
        "RFC 5321 không cho phép các chữ số này; vẫn có máy chủ gửi mã như vậy, nên hãy xét chữ số đầu và phần chữ.",
    ),
    "unregistered-fix": (
        "Read the words behind the code: they are the server's own, and smtpref classify tells what they mean.",
        "Đọc phần chữ sau mã: đó là câu chữ riêng của máy chủ; dùng smtpref classify để biết ý nghĩa.",
    ),
    "unregistered-use": (
        "Only where a server made up a code of its own: treat it by its first digit.",
        "Chỉ khi máy chủ tự đặt mã riêng: xử lý theo chữ số đầu.",
    ),
    "provider-when": ("In replies of {provider}.", "Trong phản hồi của {provider}."),
    "provider-when-codes": ("In replies of {provider}, with {codes}.", "Trong phản hồi của {provider}, kèm {codes}."),
    "unusual-class": (
        "{code} is an unusual combination: {any_class} is “{name}”, the first digit says “{cls}”.",
        "{code} là cách ghép lạ: {any_class} là “{name}”, còn chữ số đầu là “{cls}”.",
    ),
    "codes-like": ("Codes that share these digits: {codes}.", "Các mã cùng chữ số: {codes}."),
    "class-with-subject": ("{cls}: {subject}", "{cls}: {subject}"),
    "unknown-subject": ("subject {subject}, which the registry does not know", "nhóm chủ đề {subject}, sổ đăng ký không có"),
    # Differences, one whole sentence each; {is} agrees in number.
    "diff-success": ("{codes} reports success", "{codes} báo thành công"),
    "diff-success-many": ("{codes} report success", "{codes} báo thành công"),
    "diff-intermediate": ("{codes} asks the client to go on", "{codes} yêu cầu máy khách tiếp tục"),
    "diff-intermediate-many": ("{codes} ask the client to go on", "{codes} yêu cầu máy khách tiếp tục"),
    "diff-temporary": (
        "{codes} may go away by itself, so the sending server keeps the message and tries again",
        "{codes} có thể tự hết, nên máy chủ gửi giữ thư và gửi lại",
    ),
    "diff-temporary-many": (
        "{codes} may go away by themselves, so the sending server keeps the message and tries again",
        "{codes} có thể tự hết, nên máy chủ gửi giữ thư và gửi lại",
    ),
    "diff-permanent": (
        "{codes} will not, however often the same message is sent again",
        "{codes} thì không, dù gửi lại thư đó bao nhiêu lần",
    ),
    "diff-permanent-many": (
        "{codes} will not, however often the same message is sent again",
        "{codes} thì không, dù gửi lại thư đó bao nhiêu lần",
    ),
    "diff-permanent-alone": (
        "{codes} is a refusal for good: sent again unchanged, the message is refused again",
        "{codes} là từ chối hẳn: gửi lại nguyên thư đó sẽ lại bị từ chối",
    ),
    "diff-permanent-alone-many": (
        "{codes} are refusals for good: sent again unchanged, the message is refused again",
        "{codes} là từ chối hẳn: gửi lại nguyên thư đó sẽ lại bị từ chối",
    ),
    "diff-either": ("{codes} can be either, as its first digit says", "{codes} có thể là một trong hai, tuỳ chữ số đầu"),
    "diff-either-many": ("{codes} can be either, as the first digit says", "{codes} có thể là một trong hai, tuỳ chữ số đầu"),
    "diff-same-detail": (
        "{codes} name the same cause; only the first digit, and so whether to try again, differs.",
        "{codes} nêu cùng một nguyên nhân; chỉ khác chữ số đầu, tức là có nên gửi lại hay không.",
    ),
    "diff-topic": ("{codes} is about {topic}", "{codes} nói về {topic}"),
    "diff-topic-many": ("{codes} are about {topic}", "{codes} nói về {topic}"),
    "diff-acts-none": ("with {codes} nobody has to act", "với {codes} không ai phải làm gì"),
    "diff-acts": ("with {codes} {actor} has to act", "với {codes} {actor} phải xử lý"),
    "diff-phases": ("{codes} answers {phases}", "{codes} trả lời cho {phases}"),
    "diff-phases-many": ("{codes} answer {phases}", "{codes} trả lời cho {phases}"),
    "diff-phases-also": (
        "{codes} can also answer {phases}, which {others} does not.",
        "{codes} còn trả lời cho {phases}, {others} thì không.",
    ),
    "diff-reasons": ("behind {codes} usually stands: {reasons}", "{codes} thường do: {reasons}"),
    "diff-kind-reply": (
        "{codes} is a reply code, which every server sends and which decides what the sending server does",
        "{codes} là mã phản hồi: máy chủ nào cũng gửi, và mã này quyết định máy chủ gửi làm gì tiếp",
    ),
    "diff-kind-enhanced": (
        "{codes} is an enhanced status code: it stands behind a reply code and says more exactly why",
        "{codes} là mã trạng thái mở rộng: đứng sau mã phản hồi và nói rõ hơn vì sao",
    ),
    "diff-kind-reply-many": (
        "{codes} are reply codes, which every server sends and which decide what the sending server does",
        "{codes} là mã phản hồi: máy chủ nào cũng gửi, và mã này quyết định máy chủ gửi làm gì tiếp",
    ),
    "diff-kind-enhanced-many": (
        "{codes} are enhanced status codes: they stand behind a reply code and say more exactly why",
        "{codes} là mã trạng thái mở rộng: đứng sau mã phản hồi và nói rõ hơn vì sao",
    ),
    "diff-kind-class-many": ("{codes} are whole classes of codes", "{codes} là cả lớp mã"),
    "diff-kind-provider-many": ("{codes} are codes of {provider} only", "{codes} là mã chỉ của {provider}"),
    "diff-kind-blocklist-many": ("{codes} are blocklists, no codes", "{codes} là danh sách chặn, không phải mã"),
    "diff-kind-reason-many": (
        "{codes} are reasons as smtpref names them, whatever the code",
        "{codes} là nguyên nhân theo cách gọi của smtpref, bất kể mã nào",
    ),
    "diff-kind-class": ("{codes} is a whole class of codes", "{codes} là cả một lớp mã"),
    "diff-kind-provider": ("{codes} is a code of {provider} only", "{codes} là mã chỉ của {provider}"),
    "diff-kind-blocklist": ("{codes} is a blocklist, no code", "{codes} là danh sách chặn, không phải mã"),
    "diff-kind-reason": (
        "{codes} is a reason as smtpref names it, whatever the code",
        "{codes} là nguyên nhân theo cách gọi của smtpref, bất kể mã nào",
    ),
    "diff-unregistered": (
        "{codes} is registered nowhere: its meaning is its sender's own.",
        "{codes} không được đăng ký ở đâu: ý nghĩa do bên gửi mã tự đặt.",
    ),
    "diff-goes-with": (
        "{enhanced} is one of the enhanced codes that go with {reply}: the two often stand in one reply.",
        "{enhanced} là một trong các mã trạng thái mở rộng đi kèm {reply}: hai mã thường cùng nằm trong một phản hồi.",
    ),
    "diff-member": ("{member} belongs to the class {whole}.", "{member} thuộc lớp {whole}."),
    "diff-name": ("{codes} means: {name}", "{codes} nghĩa là: {name}"),
    "diff-name-many": ("{codes} mean: {name}", "{codes} nghĩa là: {name}"),
    # Classify.
    "because-provider": (
        "“{match}” is {provider}'s own word for it (rule {rule})",
        "“{match}” là cách nói riêng của {provider} (quy tắc {rule})",
    ),
    "because-text": ("the words “{match}” say so (rule {rule})", "phần chữ “{match}” cho biết vậy (quy tắc {rule})"),
    "because-enhanced-code": (
        "the enhanced code {match} says so; no known words tell more",
        "mã trạng thái mở rộng {match} cho biết vậy; phần chữ không có câu quen thuộc nào nói rõ hơn",
    ),
    "because-reply-code": (
        "the reply code {match} is all there is to go by; no known words tell more",
        "chỉ có mã phản hồi {match} để dựa vào; phần chữ không có câu quen thuộc nào nói rõ hơn",
    ),
    "because-format": ("the log itself says so", "chính nhật ký ghi như vậy"),
    "alone-would-say": ("{match} alone would say “{reason}”", "chỉ riêng {match} thì là “{reason}”"),
    "because-accepted": ("the other side accepted it ({match})", "phía bên kia đã chấp nhận ({match})"),
    "because-nothing": ("nothing in it is known to smtpref", "smtpref không nhận ra điều gì trong đó"),
    "do-here": (
        "Look into this server's own log around this time: a table, a filter, DNS, the disk or a service of its own is at fault",
        "Xem nhật ký của chính máy chủ này quanh thời điểm đó: bảng tra, bộ lọc, DNS, ổ đĩa hoặc dịch vụ của nó có lỗi",
    ),
    "do-again": (
        "The message was given up: send it again when the cause is gone; keep the address",
        "Thư đã bị trả lại: gửi lại khi nguyên nhân không còn; giữ địa chỉ",
    ),
    "do-slower": (
        "The message was given up: send less and more slowly, then send it again; keep the address",
        "Thư đã bị trả lại: gửi ít và chậm lại, rồi gửi lại thư đó; giữ địa chỉ",
    ),
    "actor-here": ("you: this server refused", "bạn: chính máy chủ này từ chối"),
    "lasting": ("Lasting", "Thời hạn"),
    "waiting-for-input": (
        "smtpref: reading from the terminal: paste a reply or log lines, then press Ctrl-D",
        "smtpref: đang đọc từ terminal: dán phản hồi hoặc dòng nhật ký, rồi nhấn Ctrl-D",
    ),
    "counted": ("{records} records: {counts}", "{records} bản ghi: {counts}"),
    # The summary.
    "sum-message": ("{n} message", "{n} thư"),
    "sum-messages": ("{n} messages", "{n} thư"),
    "sum-stuck": ("Still stuck: {messages}", "Còn kẹt: {messages}"),
    "sum-oldest": ("oldest since {since} ({age})", "cũ nhất từ {since} ({age})"),
    "sum-mainly": ("mainly {things}", "chủ yếu {things}"),
    "sum-not-tried": ("{n} not tried yet or on hold", "{n} chưa gửi lần nào hoặc đang bị giữ"),
    "sum-nothing-stuck": ("Nothing is stuck", "Không có thư nào bị kẹt"),
    "sum-record": ("{n} record", "{n} bản ghi"),
    "sum-records": ("{n} records", "{n} bản ghi"),
    "sum-of-messages": ("{messages} in {records}", "{messages} trong {records}"),
    "sum-do-first": ("Do first", "Việc cần làm trước"),
    "sum-column-messages": ("messages", "thư"),
    "sum-column-domains": ("domains", "tên miền"),
    "sum-address": ("Remove {n} address", "Xoá {n} địa chỉ"),
    "sum-addresses": ("Remove {n} addresses", "Xoá {n} địa chỉ"),
    "sum-wait-and-check": ("Check, remove nobody yet", "Kiểm tra, chưa xoá ai"),
    "sum-unsubscribe": ("Stop mailing who complains", "Ngừng gửi cho người khiếu nại"),
    "sum-doubt-delivered-too": ("{n} delivered to as well", "{n} vẫn nhận được thư"),
    "sum-doubt-not-bounced": ("{n} not bounced, still to be tried", "{n} chưa bị trả lại, còn được gửi lại"),
    "sum-doubt-domain-works": ("{n} at domains that work", "{n} ở tên miền vẫn hoạt động"),
    "sum-doubt-lookup-fails": (
        "{n} when many domains were not found: check your DNS",
        "{n} lúc nhiều tên miền không tìm thấy: kiểm tra DNS của bạn",
    ),
    "sum-doubt-burst": ("{n} in a burst at one large domain", "{n} dồn dập cùng lúc ở một tên miền lớn"),
    "sum-doubt-no-address": ("{n} not named by an address", "{n} không nêu rõ địa chỉ"),
    "sum-seen": ("{first} – {last}", "{first} – {last}"),
    "sum-most-to": ("{n} to {domain}", "{n} tới {domain}"),
    "sum-last-success": ("{n} to {domain}, last success {time}", "{n} tới {domain}, lần phát cuối {time}"),
    "sum-no-success": ("{n} to {domain}, no success yet", "{n} tới {domain}, chưa phát được thư nào"),
    "sum-most-from": ("{n} from {sender}", "{n} từ {sender}"),
    "sum-listed": ("{about} at {where}: {n}", "{about} trong {where}: {n}"),
    "sum-listed-by": ("refused by {where}: {n}", "bị {where} từ chối: {n}"),
    "sum-waiting": ("Nothing to do yet: {messages}", "Chưa cần làm gì: {messages}"),
    "sum-more": ("{things} more in the other formats", "còn {things} việc nữa ở các định dạng khác"),
    "sum-more-tasks": ("{things} more, for {messages}", "{things} việc nữa, cho {messages}"),
    "sum-more-rows": ("and {n} more", "và {n} mục nữa"),
    "sum-totals": ("Sent from here", "Thư gửi đi từ đây"),
    "sum-actor-sender": ("sender", "người gửi"),
    "sum-actor-sender-admin": ("sending admin", "quản trị bên gửi"),
    "sum-actor-recipient": ("recipient", "người nhận"),
    "sum-actor-receiver-admin": ("receiving admin", "quản trị bên nhận"),
    "sum-actor-none": ("nobody", "không ai"),
    "sum-explained": (
        "These explain {share} of {failures} that failed.",
        "Danh sách này giải thích {share} trong {failures} không phát được.",
    ),
    "sum-nothing-failed": ("Nothing failed that this server sent.", "Không có thư gửi đi nào không phát được."),
    "sum-outcomes": ("Outcomes", "Kết quả"),
    "sum-bounces": ("Bounces", "Thư bị trả lại"),
    "sum-reasons": ("Reasons", "Nguyên nhân"),
    "sum-categories": ("Categories", "Nhóm nguyên nhân"),
    "sum-reply-codes": ("Reply codes", "Mã phản hồi"),
    "sum-enhanced-codes": ("Enhanced codes", "Mã trạng thái mở rộng"),
    "sum-providers": ("Providers", "Nhà cung cấp"),
    "sum-domains": ("Recipient domains", "Tên miền người nhận"),
    "sum-senders": ("Senders", "Người gửi"),
    "sum-hours": ("Over time", "Theo thời gian"),
    "sum-inbound": ("Refused here", "Bị từ chối tại đây"),
    "sum-replies": ("Most frequent refusals, what varies masked", "Lời từ chối thường gặp nhất, phần thay đổi được che"),
    "sum-reply": ("Reply", "Phản hồi"),
    "sum-column-records": ("records", "bản ghi"),
    "sum-none": ("unknown", "không rõ"),
    "sum-lines": (
        "Lines: {read} read, {in_records} in records, {without} without an outcome",
        "Dòng: đã đọc {read}, {in_records} trong bản ghi, {without} không có kết quả",
    ),
    "sum-not-understood": (
        "Look like an outcome, not understood: {lines} (shapes: {shapes}; all: --not-understood)",
        "Trông như kết quả nhưng không hiểu: {lines} (số dạng: {shapes}; xem hết: --not-understood)",
    ),
    "sum-lines-column": ("lines", "dòng"),
    "sum-no-room": (
        "Totals and replies need a higher window, or --format plain.",
        "Số tổng và phản hồi cần cửa sổ cao hơn, hoặc --format plain.",
    ),
    "sum-all-understood": ("0 not understood", "0 không hiểu"),
    "sum-title": ("Mail report", "Báo cáo thư"),
    "sum-failed": ("failed", "không phát được"),
    "sum-made-by": ("Made by smtpref {version}", "Tạo bởi smtpref {version}"),
    "sum-progress": ("smtpref: {percent} % of {size} read", "smtpref: đã đọc {percent} % của {size}"),
    "error-summary-only": (
        "{format} is a format of summaries only",
        "{format} chỉ là định dạng của bản tổng hợp",
    ),
    "all-understood": (
        "smtpref: every line that looks like an outcome was understood",
        "smtpref: mọi dòng trông như một kết quả đều đã hiểu",
    ),
    "nothing-recognised": (
        "smtpref: nothing in the input looks like a reply or a delivery outcome",
        "smtpref: không có gì trong đầu vào giống phản hồi hay kết quả phát thư",
    ),
    "nothing-kept": (
        "smtpref: no record in the input is what the options ask for",
        "smtpref: không có bản ghi nào trong đầu vào khớp với các tuỳ chọn",
    ),
    "more-hits": ("… and {count} more: --all shows them", "… và {count} mục nữa: dùng --all để xem"),
    # Errors: what was given and why it will not do; then what would.
    "error-number": (
        "“{given}” is no SMTP code: a reply code has three digits, the first from 2 to 5; an enhanced code three numbers, the first 2, 4 or 5",
        "“{given}” không phải mã SMTP: mã phản hồi có ba chữ số, chữ số đầu từ 2 đến 5; mã trạng thái mở rộng có ba số, số đầu là 2, 4 hoặc 5",
    ),
    "error-word": (
        "“{given}” is no code, provider's code, blocklist or reason that smtpref knows",
        "“{given}” không phải mã, mã riêng của nhà cung cấp, danh sách chặn hay nguyên nhân mà smtpref biết",
    ),
    "error-unreadable": ("cannot read “{path}”: {why}", "không đọc được “{path}”: {why}"),
    "error-file-is-reply": (
        "there is no file “{path}”; to classify a reply itself, pipe it in",
        "không có tệp “{path}”; để phân loại một phản hồi, hãy đưa nó vào qua pipe",
    ),
    "error-codes-file": ("{count} mistakes in the codes file", "{count} lỗi trong tệp mã"),
    "error-missing-codes": ("compare needs two to four codes, {count} given", "compare cần hai đến bốn mã, đã cho {count}"),
    "error-too-many-codes": ("compare takes at most four codes, {count} given", "compare nhận nhiều nhất bốn mã, đã cho {count}"),
    "error-no-codes": ("explain needs a code", "explain cần một mã"),
    "error-not-found": ("nothing matches “{words}”", "không có gì khớp “{words}”"),
    "error-format": ("{command} has no {format} format", "{command} không có định dạng {format}"),
    "error-reason": ("“{given}” is no reason that smtpref knows", "“{given}” không phải nguyên nhân mà smtpref biết"),
    "error-provider": ("“{given}” is no provider that smtpref knows", "“{given}” không phải nhà cung cấp mà smtpref biết"),
    "error-time": (
        "“{given}” is no time: a date, a date with a time, or an age is one",
        "“{given}” không phải thời điểm: hãy cho ngày, ngày kèm giờ, hoặc khoảng thời gian trước đây",
    ),
    "error-command": ("“{given}” is no command", "“{given}” không phải lệnh"),
    "cut-line": (
        "a line is longer than 1 MiB; its end was passed over (lines like it: {count})",
        "một dòng dài hơn 1 MiB; phần cuối không được đọc (số dòng như vậy: {count})",
    ),
    "cut-message": (
        "a message is larger than 4 MiB or has more than 50,000 lines; its end was passed over (messages like it: {count})",
        "một thư lớn hơn 4 MiB hoặc có hơn 50.000 dòng; phần cuối không được đọc (số thư như vậy: {count})",
    ),
    "cut-recipients": (
        "a bounce message tells of more than 10,000 recipients; the others are left out (messages like it: {count})",
        "một thư báo không gửi được nêu hơn 10.000 người nhận; các người nhận còn lại bị bỏ qua (số thư như vậy: {count})",
    ),
    "try": ("try: {commands}", "thử: {commands}"),
    "error-unforeseen": (
        "this is a mistake in smtpref ({error}): please report it; SMTPREF_DEBUG=1 shows where it happened",
        "đây là lỗi của smtpref ({error}): hãy báo lại; SMTPREF_DEBUG=1 cho biết chỗ xảy ra",
    ),
}


def phrase(key: str, language: Language, **facts: object) -> str:
    """The phrase `key` in a language, filled in with `facts`."""
    text = PHRASES[key][LANGUAGES.index(language)]
    return text.format(**facts) if facts else text


def joined(items: Iterable[str], language: Language, word: str = "and") -> str:
    """The items as a list in a sentence: "a, b and c"."""
    *most, last = [*items] or [""]
    return phrase(word, language).join(filter(None, (", ".join(most), last)))


def mid_sentence(text: str) -> str:
    """A name or sentence as it stands inside another: without its capital, unless that belongs to an abbreviation."""
    return text[:1].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text


def choose_language(asked: str | None = None) -> Language:
    """The language asked for, or that of SMTPREF_LANG, or that of the locale; English where none of them is known."""
    names = (asked, *map(os.environ.get, ("SMTPREF_LANG", "LC_ALL", "LC_MESSAGES", "LANG")))
    first = next((name for name in names if name), "en")
    return "vi" if first.lower().split("_")[0].split("-")[0].split(".")[0] == "vi" else "en"


def error_lines(error: SmtprefError, language: Language) -> list[str]:
    """An error as the user reads it: one line that says what is wrong, and one that says what would do."""
    match error:
        case NotACode():
            key = "error-number" if error.given[:1].isdigit() else "error-word"
            first, hints = phrase(key, language, given=error.given), list(error.commands)
        case Unreadable():
            first, hints = phrase("error-unreadable", language, path=error.path, why=error.why), [error.hint] if error.hint else []
        case PassedOver():
            first = f"{error.path}:{error.line}: {phrase(f'cut-{error.what}', language, count=error.count)}"
            hints = []
        case WrongUsage():
            first, hints = phrase(error.message, language, **error.facts), list(error.commands)
        case KnowledgeError():
            first = error.problems[0] if len(error.problems) == 1 else phrase("error-codes-file", language, count=len(error.problems))
            return [f"smtpref: {first}", *(error.problems if len(error.problems) > 1 else ())]
        case _:
            first, hints = str(error), []
    return [f"smtpref: {first}", *([phrase("try", language, commands=", ".join(hints))] if hints else [])]
