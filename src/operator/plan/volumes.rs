//! Which volumes are too small, and how far their growth is. Pure.

use super::Standing;

/// One member's volume claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// Its name.
    pub name: String,
    /// Whether it has a volume.
    pub bound: bool,
    /// How many bytes it asks for.
    pub asked: u128,
    /// How many bytes its volume has.
    pub has: u128,
}

/// The claims that must ask for more to have `wanted` bytes. Nothing ever shrinks.
pub fn to_grow(claims: &[Claim], wanted: u128) -> impl Iterator<Item = &str> {
    claims.iter().filter(move |claim| claim.asked < wanted).map(|claim| claim.name.as_str())
}

/// How the storage stands. `wanted` is `None` where members have no volumes; `refused` is what the API server said to a
/// larger size.
pub fn stand(claims: &[Claim], wanted: Option<u128>, members: usize, refused: Option<&str>) -> Standing {
    let stand = |ready, reason, message: String| Standing { ready, reason, message };
    let Some(wanted) = wanted else {
        return stand(true, "Ephemeral", "members keep their data as long as their pods live".to_owned());
    };
    if let Some(words) = refused {
        return stand(false, "ExpansionRefused", words.to_owned());
    }
    let names =
        |of: &mut dyn Iterator<Item = &Claim>| of.map(|claim| claim.name.clone()).collect::<Vec<_>>().join(", ");
    let unbound = names(&mut claims.iter().filter(|claim| !claim.bound));
    let small = names(&mut claims.iter().filter(|claim| claim.bound && claim.has < wanted));
    if claims.len() < members {
        stand(false, "Creating", format!("{} of {members} volume claims exist", claims.len()))
    } else if !unbound.is_empty() {
        stand(false, "Unbound", format!("no volume yet for {unbound}"))
    } else if !small.is_empty() {
        stand(false, "Expanding", format!("volumes are being made larger: {small}"))
    } else {
        stand(true, "Bound", format!("{} volumes are bound and large enough", claims.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(name: &str, bound: bool, asked: u128, has: u128) -> Claim {
        Claim { name: name.to_owned(), bound, asked, has }
    }

    #[test]
    fn claims_grow_and_never_shrink() {
        let claims = [claim("a", true, 1, 1), claim("b", true, 2, 1), claim("c", true, 9, 9)];
        assert_eq!(to_grow(&claims, 2).collect::<Vec<_>>(), ["a"]);
        let reason = |claims: &[Claim], wanted, refused| stand(claims, wanted, 3, refused).reason;
        assert_eq!(reason(&claims, Some(2), None), "Expanding");
        assert_eq!(stand(&claims, Some(2), 3, None).message, "volumes are being made larger: a, b");
        assert_eq!(reason(&claims, Some(1), None), "Bound");
        assert_eq!(reason(&claims, Some(2), Some("only dynamically provisioned")), "ExpansionRefused");
        assert_eq!(reason(&claims[..2], Some(1), None), "Creating");
        assert_eq!(reason(&[claim("a", false, 1, 0), claims[1].clone(), claims[2].clone()], Some(1), None), "Unbound");
        assert_eq!(reason(&[], None, None), "Ephemeral");
    }
}
