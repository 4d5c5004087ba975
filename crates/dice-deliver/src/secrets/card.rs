//! Numbers of payment cards.

/// The number of a payment card that begins at `at`: fifteen or sixteen digits, in groups or not, as the big
/// issuers give them, whose check digit is right. Times and counters begin otherwise.
pub(super) fn card(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let touches =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'#');
    if at > 0 && touches(&bytes[at - 1]) {
        return None;
    }
    let mut digits = [0_u8; 16];
    let mut n = 0;
    let mut end = at;
    let mut separator = None;
    while let Some(byte) = bytes.get(end) {
        if byte.is_ascii_digit() {
            *digits.get_mut(n)? = byte - b'0';
            n += 1;
        } else if matches!(byte, b' ' | b'-')
            && matches!(n, 4 | 8 | 10 | 12)
            && separator.is_none_or(|known| known == *byte)
            && bytes.get(end + 1).is_some_and(u8::is_ascii_digit)
        {
            separator = Some(*byte);
        } else {
            break;
        }
        end += 1;
    }
    if bytes.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
        return None;
    }
    let number = &digits[..n];
    let head = number.iter().take(4).fold(0_u32, |head, digit| head * 10 + u32::from(*digit));
    let is_issued = match n {
        15 => matches!(head / 100, 34 | 37),
        16 => {
            head / 1000 == 4
                || matches!(head / 100, 51..=55 | 65)
                || head == 6011
                || (2221..=2720).contains(&head)
        }
        _ => false,
    };
    (is_issued && is_checked(number)).then_some((at, end))
}

/// Whether the last digit checks the others. Source: ISO/IEC 7812-1, annex B.
fn is_checked(number: &[u8]) -> bool {
    let sum: u32 = number
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match (at % 2, u32::from(*digit) * 2) {
            (0, _) => u32::from(*digit),
            (_, twice) => twice / 10 + twice % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}
